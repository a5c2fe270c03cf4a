package decorate

import (
	"context"
	"errors"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*stt)(nil)

// STT asks the ears in order, as the policy says: the next takes over when one
// fails in a way another may not, a format or a length that one cannot read among
// them. An empty transcript is an answer. Errors and ownership are as for LLM.
func STT(providers []NamedSTT, policy Policy) (ports.STTPort, error) {
	c, err := newChain[ports.STTPort, domain.Transcript](OperationSTT, providers, policy)
	if err != nil {
		return nil, err
	}
	return &stt{c}, nil
}

type stt struct {
	chain *chain[ports.STTPort, domain.Transcript]
}

// Transcribe implements ports.STTPort.
func (s *stt) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if clip.Empty() {
		return domain.Transcript{}, &ports.Error{Op: OperationSTT, Kind: ports.KindInvalid, Err: errors.New("there is no clip")}
	}
	measure := Call{AudioBytes: len(clip.Bytes())}
	if s.chain.policy.Observer.OnCall != nil {
		measure.Audio = lengthOf(clip)
	}
	heard, release, err := s.chain.run(ctx, func(t *trial, port ports.STTPort) (domain.Transcript, error) {
		ctx, cancel := t.whole()
		defer cancel()
		heard, err := port.Transcribe(ctx, clip, opt)
		err = explain(OperationSTT, t.ctx, ctx, err)
		t.end(measure, err, false)
		return heard, err
	})
	release()
	return heard, err
}

// lengthOf is how long a clip plays, or zero when neither it nor its pages say.
func lengthOf(clip domain.Audio) time.Duration {
	if clip.Duration() > 0 || clip.Type() != "audio/ogg" {
		return clip.Duration()
	}
	info, err := oggopus.Inspect(clip.Bytes())
	if err != nil {
		return 0 // the ear will say what is wrong with it
	}
	return info.Duration
}
