package decorate

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*tts)(nil)

// TTS asks the voices in order, as the policy says: the next takes over when one
// fails in a way another may not, a format, language or length that one cannot
// speak among them. The same options go to all; a voice's name that only one vendor
// knows is its wrapper's to replace. Errors and ownership are as for LLM.
func TTS(providers []NamedTTS, policy Policy) (ports.TTSPort, error) {
	c, err := newChain[ports.TTSPort, domain.Audio](OperationTTS, providers, policy)
	if err != nil {
		return nil, err
	}
	return &tts{c}, nil
}

type tts struct {
	chain *chain[ports.TTSPort, domain.Audio]
}

// Synthesize implements ports.TTSPort.
func (s *tts) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if strings.TrimSpace(text) == "" {
		return domain.Audio{}, &ports.Error{Op: OperationTTS, Kind: ports.KindInvalid, Err: errors.New("there is nothing to say")}
	}
	letters := utf8.RuneCountInString(text)
	clip, release, err := s.chain.run(ctx, func(t *trial, port ports.TTSPort) (domain.Audio, error) {
		ctx, cancel := t.whole()
		defer cancel()
		clip, err := port.Synthesize(ctx, text, opt)
		err = explain(OperationTTS, t.ctx, ctx, err)
		t.end(Call{Characters: letters, AudioBytes: len(clip.Bytes()), Audio: clip.Duration()}, err, false)
		return clip, err
	})
	release()
	return clip, err
}
