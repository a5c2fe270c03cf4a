package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxAnswerBytes bounds what is read from a model: far above any answer a person
// would listen to, far below what a runaway stream could fill memory with.
const maxAnswerBytes = 64 << 10

// reading is an answer that is being taken in, and what was asked. It is passed on by
// pointer: turns wait for their models on these stacks, ten thousand at once.
type reading struct {
	*session
	ctx   context.Context
	said  understanding
	req   ports.LLMRequest
	spent int // calls of tools
	began time.Time
	// repeated is set once an answer that broke off was asked for again.
	repeated bool

	stream domain.ReplyStream
	aloud  bool // it is spoken while it comes
	// out and last are what came of it, also when it broke off, and its last chunk; err is
	// why there is no more.
	out  string
	last ports.LLMChunk
	err  error
}

// question is what the model is asked.
//
//go:noinline
func (s *session) question(ctx context.Context, said *understanding) *reading {
	r := &reading{session: s, ctx: ctx, said: *said, began: time.Now()}
	r.req = ports.LLMRequest{
		System: s.instruction(r.said), Language: s.asked(r.said), User: string(s.conv.ID()),
		Temperature: s.persona.Temperature, MaxTokens: s.persona.MaxTokens,
	}
	history := s.conv.History()
	r.req.Messages = make([]ports.LLMMessage, 0, len(history)+1)
	for _, remark := range history {
		r.req.Messages = append(r.req.Messages, ports.LLMMessage{Role: remark.Role, Text: fenced(remark.Role, remark.Text)})
	}
	r.req.Messages = append(r.req.Messages, ports.LLMMessage{Role: domain.RoleUser, Text: fenced(domain.RoleUser, said.text)})
	r.spent = s.offerTools(&r.req)
	return r
}

// fenced marks a user's words as data; the model's own need no marks.
func fenced(role domain.Role, text string) string {
	if role != domain.RoleUser {
		return text
	}
	return domain.Fence(domain.FenceMessage, text)
}

// generate asks the model, calls the tools it wants, and takes the reply out of its
// output, which is spoken while it comes where the answer is to be a voice note.
func (s *session) generate(ctx context.Context, said *understanding) (domain.Reply, error) {
	r := s.question(ctx, said)
	r.read()
	for r.goesOn() {
		r.read()
	}
	return r.reply()
}

// goesOn reports whether the model is asked again. An answer that breaks off is asked for
// once more: none of it was used. What fails before its first words has been tried again,
// and with other vendors, below the port. An answer that wants tools is followed by one
// that knows what they said.
//
//go:noinline
func (r *reading) goesOn() bool {
	switch {
	case r.err != nil && r.out != "" && !r.repeated && ports.Retryable(r.err) && r.ctx.Err() == nil:
		r.event(ports.StageTrouble, time.Since(r.began), "the answer broke off and is asked for again", r.err)
		r.repeated = true
		return true
	case r.err == nil && len(r.last.Calls) > 0:
		r.repeated = false
		r.err = r.useTools(r.ctx, &r.req, &r.spent, r.out, r.last)
		return r.err == nil
	}
	return false
}

// reply is what the user is told.
//
//go:noinline
func (r *reading) reply() (domain.Reply, error) {
	if errors.Is(r.err, errWithheld) {
		return r.withhold(r.said, r.withheldWhy), nil
	}
	if r.err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", r.err)
	}
	reply, err := domain.ExtractReply(r.out)
	if err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	if r.last.Truncated {
		reply.Text = domain.WholeSentences(reply.Text)
	}
	r.understoodBy(r.said, reply.Language)
	reply.Language = r.answered(r.said, reply.Language)
	if reply, err = r.vetted(r.said, reply); err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	r.event(ports.StageAnswered, time.Since(r.began), "", nil)
	return reply, nil
}

// read takes in one answer. It stops reading when messages came that the answer does not
// take into account.
func (r *reading) read() {
	r.anew()
	r.model().Generate(r.ctx, r.req)(r.take)
	r.ended()
}

//go:noinline
func (r *reading) anew() {
	r.hush()
	r.stream, r.out, r.last, r.err = domain.ReplyStream{}, "", ports.LLMChunk{}, nil
	r.aloud = r.wantsVoice() && r.opt.SpeakParallel > 1
}

// take takes in a chunk, and reports whether reading goes on.
func (r *reading) take(chunk ports.LLMChunk, err error) bool {
	if err != nil {
		r.out, r.err = r.stream.Output(), err
		return false
	}
	if len(r.stream.Output()) == 0 && chunk.Text != "" {
		r.event(ports.StageFirstToken, time.Since(r.began), "", nil)
	}
	if len(r.stream.Output())+len(chunk.Text) > maxAnswerBytes {
		r.err = &ports.Error{Op: "read", Kind: ports.KindUnsupported, Err: fmt.Errorf("the answer is over %d bytes", maxAnswerBytes)}
		return false
	}
	if ready := r.stream.Feed(chunk.Text); r.aloud && ready != "" {
		if r.aloud = r.speak(ready); r.silenced() {
			r.err = errWithheld
			return false
		}
	}
	if chunk.Done {
		r.last = chunk
	}
	r.err = r.overtaken(r.ctx)
	return r.err == nil
}

// ended judges an answer that was read to its end.
//
//go:noinline
func (r *reading) ended() {
	if r.err != nil {
		return
	}
	if r.out = r.stream.Output(); !r.last.Done {
		r.err = &ports.Error{Op: "read", Kind: ports.KindTransient, Err: fmt.Errorf("the stream ended before the answer did")}
	}
}

// speak gives the next words to the voice. It reports false once the answer cannot be
// spoken as it comes: it is spoken when it is whole then, or written when it is too
// long.
func (r *reading) speak(text string) bool {
	if r.stream.Void() || len(r.stream.Output()) > maxBytesPerChar*r.persona.MaxSpokenChars {
		r.hush()
		return false
	}
	if r.speech == nil {
		r.listenTo(r.ctx, r.answered(r.said, r.stream.Language()))
	}
	r.speech.say(text)
	return true
}

// maxBytesPerChar is the longest character of UTF-8: an answer of more bytes is over
// the limit whatever its letters.
const maxBytesPerChar = 4
