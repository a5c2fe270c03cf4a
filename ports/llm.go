package ports

import (
	"context"
	"errors"
	"iter"
	"strings"

	"whatsappnode/domain"
)

// LLMPort asks a language model for the next words of a conversation.
//
// Generate returns at once; work starts when the sequence is ranged over. The
// sequence yields at most one error, and it is the last element; on success the
// last element, and only it, has Done set, and no chunk follows it. A success
// carries at least one chunk with text, or ends with an error (KindBlocked for a
// content-policy stop, KindUnknown for an empty answer). Breaking out of the loop
// frees every resource before the loop ends. When ctx ends, the sequence ends
// with its error, kind KindCanceled or KindTimeout, never silently. A sequence is
// used once: a second range yields one error of KindInvalid. Generate may be
// called concurrently. It does not retry; decorators do, and only while no text
// was yielded. A request without messages or with an empty last message is
// KindInvalid.
//
// A model that can call tools says so with ToolCaller. Offered some, it may ask for
// several calls at once: all of them stand on the Done chunk, in the model's order,
// each with an ID of its own. Text that came before is what the model says meanwhile.
// The caller makes the calls and asks again, with the model's message and a message
// of the results behind it. A model that cannot call tools answers a request with
// tools, calls or results with KindUnsupported, and asks nobody.
type LLMPort interface {
	Generate(ctx context.Context, req LLMRequest) iter.Seq2[LLMChunk, error]
}

// LLMRequest is one question with everything the model may know.
type LLMRequest struct {
	// System is the system instruction, or empty.
	System string
	// Messages are the conversation, oldest first; the last is the user's.
	Messages []LLMMessage
	// Temperature is between 0 and 2; nil leaves it to the vendor.
	Temperature *float64
	// MaxTokens bounds the answer; 0 leaves it to the vendor.
	MaxTokens int
	// Language is the BCP 47 tag the answer should be in, or empty.
	Language string
	// User is an opaque, stable key of the person, for vendors that want one to
	// trace abuse; never a phone number.
	User string
	// Tools are what the model may call.
	Tools []Tool
	// NoCalls makes the model answer in words. The tools stay in the request, since
	// vendors refuse earlier calls of tools that are not there.
	NoCalls bool
}

// LLMMessage is one remark, perhaps with media, or what the model and its tools said
// to each other: a message of the assistant with calls is followed by one of the user
// with a result for each, in the same order.
type LLMMessage struct {
	Role    domain.Role
	Text    string
	Media   []domain.Media
	Calls   []ToolCall
	Results []ToolResult
	// VendorState is the one of the Done chunk that asked for the calls.
	VendorState []byte
}

// LLMChunk is a piece of an answer.
type LLMChunk struct {
	Text string
	Done bool
	// Usage may be set on the Done chunk.
	Usage *LLMUsage
	// Truncated is set on the Done chunk when the answer hit MaxTokens.
	Truncated bool
	// Calls may be set on the Done chunk: what the model asks for before it answers.
	Calls []ToolCall
	// VendorState comes with Calls where the vendor wants something back unchanged, as
	// the signature of a thought. It means nothing to anybody else; an adapter leaves
	// another one's aside.
	VendorState []byte
}

// LLMUsage is what one answer cost, in tokens.
type LLMUsage struct{ Input, Output int }

// Collect reads a whole answer. It returns the joined text and the Done chunk.
func Collect(seq iter.Seq2[LLMChunk, error]) (string, LLMChunk, error) {
	var b strings.Builder
	for chunk, err := range seq {
		if err != nil {
			return b.String(), LLMChunk{}, err
		}
		b.WriteString(chunk.Text)
		if chunk.Done {
			return b.String(), chunk, nil
		}
	}
	return b.String(), LLMChunk{}, &Error{Op: "llm", Kind: KindTransient, Err: errors.New("the stream ended without its last chunk")}
}

// Validate reports why a request cannot be sent, as an Error of KindInvalid.
func (r LLMRequest) Validate(op string) error {
	reason := r.toolFault()
	switch {
	case reason != "":
	case len(r.Messages) == 0:
		reason = "no messages"
	case r.Messages[len(r.Messages)-1].Role != domain.RoleUser:
		reason = "the last message is not the user's"
	case r.Messages[len(r.Messages)-1].empty():
		reason = "the last message is empty"
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 2):
		reason = "the temperature is outside 0..2"
	case r.MaxTokens < 0:
		reason = "the token limit is negative"
	default:
		return nil
	}
	return &Error{Op: op, Kind: KindInvalid, Err: errors.New(reason)}
}

// empty reports whether a message holds nothing that could be asked.
func (m LLMMessage) empty() bool {
	return strings.TrimSpace(m.Text) == "" && len(m.Media)+len(m.Calls)+len(m.Results) == 0
}
