package app

import (
	"context"
	"fmt"
	"strings"
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
		req.Messages = append(req.Messages, ports.LLMMessage{Role: remark.Role, Text: remark.Text})
	}
	req.Messages = append(req.Messages, ports.LLMMessage{Role: domain.RoleUser, Text: said.text})
	return req
}

// generate asks the model and takes the reply out of its output.
func (s *session) generate(ctx context.Context, said understanding) (domain.Reply, error) {
	began := time.Now()
	var out strings.Builder
	done, truncated := false, false
	for chunk, err := range s.persona.LLM.Generate(ctx, s.question(said)) {
		if err != nil {
			return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
		}
		if out.Len() == 0 && chunk.Text != "" {
			s.event(ports.StageFirstToken, time.Since(began), "", nil)
		}
		if out.Len()+len(chunk.Text) > maxAnswerBytes {
			return domain.Reply{}, &ports.Error{Op: "ask the model", Kind: ports.KindUnsupported, Err: fmt.Errorf("the answer is over %d bytes", maxAnswerBytes)}
		}
		out.WriteString(chunk.Text)
		done, truncated = done || chunk.Done, truncated || chunk.Truncated
	}
	if !done {
		return domain.Reply{}, &ports.Error{Op: "ask the model", Kind: ports.KindTransient, Err: fmt.Errorf("the stream ended before the answer did")}
	}
	reply, err := domain.ExtractReply(out.String())
	if err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	if truncated {
		reply.Text = domain.WholeSentences(reply.Text)
	}
	reply.Language = s.answered(said, reply.Language)
	s.event(ports.StageAnswered, time.Since(began), "", nil)
	return reply, nil
}
