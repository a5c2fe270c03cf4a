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

// question is what the model is asked.
func (s *session) question(said understanding) ports.LLMRequest {
	req := ports.LLMRequest{
		System: s.instruction(said), Language: s.asked(said), User: string(s.conv.ID()),
		Temperature: s.persona.Temperature, MaxTokens: s.persona.MaxTokens,
	}
	for _, remark := range s.conv.History() {
		req.Messages = append(req.Messages, ports.LLMMessage{Role: remark.Role, Text: fenced(remark.Role, remark.Text)})
	}
	req.Messages = append(req.Messages, ports.LLMMessage{Role: domain.RoleUser, Text: fenced(domain.RoleUser, said.text)})
	return req
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
func (s *session) generate(ctx context.Context, said understanding) (domain.Reply, error) {
	began := time.Now()
	req := s.question(said)
	spent := s.offerTools(&req)
	out, last, err := s.listen(ctx, began, said, req)
	for err == nil && len(last.Calls) > 0 {
		if err = s.useTools(ctx, &req, &spent, out, last); err == nil {
			out, last, err = s.listen(ctx, began, said, req)
		}
	}
	if errors.Is(err, errWithheld) {
		return s.withhold(said, s.withheldWhy), nil
	}
	if err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	reply, err := domain.ExtractReply(out)
	if err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	if last.Truncated {
		reply.Text = domain.WholeSentences(reply.Text)
	}
	s.understoodBy(said, reply.Language)
	reply.Language = s.answered(said, reply.Language)
	if reply, err = s.vetted(said, reply); err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	s.event(ports.StageAnswered, time.Since(began), "", nil)
	return reply, nil
}

// listen takes in one answer. One that breaks off is asked for once more: none of it
// was used. What fails before its first words has been tried again, and with other
// vendors, below the port.
func (s *session) listen(ctx context.Context, began time.Time, said understanding, req ports.LLMRequest) (string, ports.LLMChunk, error) {
	out, last, err := s.read(ctx, began, said, req)
	if err != nil && out != "" && ports.Retryable(err) && ctx.Err() == nil {
		s.event(ports.StageTrouble, time.Since(began), "the answer broke off and is asked for again", err)
		out, last, err = s.read(ctx, began, said, req)
	}
	return out, last, err
}

// read takes in one answer, and returns what came of it also when it breaks off, and
// its last chunk. It stops reading when messages came that the answer does not take into
// account.
func (s *session) read(ctx context.Context, began time.Time, said understanding, req ports.LLMRequest) (text string, last ports.LLMChunk, err error) {
	s.hush()
	var stream domain.ReplyStream
	aloud := s.wantsVoice() && s.opt.SpeakParallel > 1
	for chunk, err := range s.model().Generate(ctx, req) {
		if err != nil {
			return stream.Output(), last, err
		}
		if len(stream.Output()) == 0 && chunk.Text != "" {
			s.event(ports.StageFirstToken, time.Since(began), "", nil)
		}
		if len(stream.Output())+len(chunk.Text) > maxAnswerBytes {
			return "", last, &ports.Error{Op: "read", Kind: ports.KindUnsupported, Err: fmt.Errorf("the answer is over %d bytes", maxAnswerBytes)}
		}
		if ready := stream.Feed(chunk.Text); aloud && ready != "" {
			if aloud = s.aloud(ctx, said, &stream, ready); s.silenced() {
				return "", last, errWithheld
			}
		}
		if chunk.Done {
			last = chunk
		}
		if err := s.overtaken(ctx); err != nil {
			return "", last, err
		}
	}
	if !last.Done {
		return stream.Output(), last, &ports.Error{Op: "read", Kind: ports.KindTransient, Err: fmt.Errorf("the stream ended before the answer did")}
	}
	return stream.Output(), last, nil
}

// aloud gives the next words to the voice. It reports false once the answer cannot be
// spoken as it comes: it is spoken when it is whole then, or written when it is too
// long.
func (s *session) aloud(ctx context.Context, said understanding, stream *domain.ReplyStream, text string) bool {
	if stream.Void() || len(stream.Output()) > maxBytesPerChar*s.persona.MaxSpokenChars {
		s.hush()
		return false
	}
	if s.speech == nil {
		s.listenTo(ctx, s.answered(said, stream.Language()))
	}
	s.speech.say(text)
	return true
}

// maxBytesPerChar is the longest character of UTF-8: an answer of more bytes is over
// the limit whatever its letters.
const maxBytesPerChar = 4
