package genai

import (
	"errors"
	"strings"

	sdk "google.golang.org/genai"

	"whatsappnode/ports"
)

// candidate returns the one answer of a response, or the reason why there is none.
// A response of a stream may have neither.
func candidate(op string, resp *sdk.GenerateContentResponse) (*sdk.Candidate, error) {
	if resp == nil {
		return nil, &ports.Error{Op: op, Kind: ports.KindTransient, Err: errMalformed}
	}
	if f := resp.PromptFeedback; f != nil && f.BlockReason != "" && f.BlockReason != sdk.BlockedReasonUnspecified {
		return nil, &ports.Error{Op: op, Kind: ports.KindBlocked, Code: codeOf(string(f.BlockReason)), Err: errors.New("the request was blocked")}
	}
	if len(resp.Candidates) == 0 || resp.Candidates[0] == nil {
		return nil, nil
	}
	return resp.Candidates[0], nil
}

// ending is how an answer ended.
type ending int

const (
	goesOn   ending = iota
	complete        // the model had no more to say
	cutShort        // a limit of tokens was reached
)

// endingOf reads a finish reason. A stop that is neither is an error.
func endingOf(op string, reason sdk.FinishReason) (ending, error) {
	e := &ports.Error{Op: op, Kind: ports.KindUnknown, Code: codeOf(string(reason)), Err: errors.New("the model stopped before its answer was complete")}
	switch reason {
	case "", sdk.FinishReasonUnspecified:
		return goesOn, nil
	case sdk.FinishReasonStop:
		return complete, nil
	case sdk.FinishReasonMaxTokens, sdk.FinishReasonContinuation:
		return cutShort, nil
	case sdk.FinishReasonSafety, sdk.FinishReasonRecitation, sdk.FinishReasonBlocklist, sdk.FinishReasonProhibitedContent,
		sdk.FinishReasonSPII, sdk.FinishReasonImageSafety, sdk.FinishReasonImageProhibitedContent, sdk.FinishReasonImageRecitation:
		e.Kind, e.Err = ports.KindBlocked, errors.New("the answer was blocked")
	case sdk.FinishReasonMalformedFunctionCall, sdk.FinishReasonUnexpectedToolCall:
		// Another attempt often writes it right.
		e.Kind, e.Err = ports.KindTransient, errors.New("the model made a call that cannot be read")
	case sdk.FinishReasonLanguage:
		e.Kind, e.Err = ports.KindUnsupported, errors.New("the model does not know the language")
	}
	return goesOn, e
}

// parts are what an answer says; what the model merely thought is left out.
func parts(c *sdk.Candidate) []*sdk.Part {
	if c == nil || c.Content == nil {
		return nil
	}
	var said []*sdk.Part
	for _, p := range c.Content.Parts {
		if p != nil && !p.Thought {
			said = append(said, p)
		}
	}
	return said
}

func textOf(c *sdk.Candidate) string {
	var b strings.Builder
	for _, p := range parts(c) {
		b.WriteString(p.Text)
	}
	return b.String()
}
