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

// generate asks the model and takes the reply out of its output.
func (s *session) generate(ctx context.Context, said string) (domain.Reply, error) {
	began := time.Now()
	req := ports.LLMRequest{System: s.opt.SystemPrompt, Language: s.language(), User: string(s.conv.ID())}
	for _, remark := range s.conv.History() {
		req.Messages = append(req.Messages, ports.LLMMessage{Role: remark.Role, Text: remark.Text})
	}
	req.Messages = append(req.Messages, ports.LLMMessage{Role: domain.RoleUser, Text: said})

	var out strings.Builder
	done := false
	for chunk, err := range s.deps.LLM.Generate(ctx, req) {
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
		done = done || chunk.Done
	}
	if !done {
		return domain.Reply{}, &ports.Error{Op: "ask the model", Kind: ports.KindTransient, Err: fmt.Errorf("the stream ended before the answer did")}
	}
	reply, err := domain.ExtractReply(out.String())
	if err != nil {
		return domain.Reply{}, fmt.Errorf("ask the model: %w", err)
	}
	reply.Language = s.understood().language
	s.event(ports.StageAnswered, time.Since(began), "", nil)
	return reply, nil
}
