package googlespeech

import (
	"context"
	"errors"
	"time"

	"whatsappnode/adapters/googlecloud"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const op = "googlespeech.stt"

const (
	// patience bounds a call whose context has no deadline, beyond the time that
	// sending takes.
	patience = time.Minute
	// maxAnswer bounds one message of an answer, and maxWords all words together.
	maxAnswer = 4 << 20
	maxWords  = 1 << 20
)

// STT hears Ogg/Opus clips of up to 290 seconds. It may be used concurrently.
type STT struct {
	plan   plan
	engine engine
}

// query is one clip with everything that goes with it.
type query struct {
	clip      clip
	languages []string // as Google writes them, the likeliest first
	phrases   []string
}

// engine is one version of the API. Its errors are the library's own.
type engine interface {
	// recognize hears a short clip in one request.
	recognize(ctx context.Context, q query) ([]part, error)
	// open begins a stream; it ends with ctx.
	open(ctx context.Context, q query) (talk, error)
	Close() error
}

// NewSTT makes an ear. It looks for credentials, which may ask the metadata server of
// Google Cloud, and fails with what to set when there are none; the service itself
// is not called. Close ends its connections.
func NewSTT(cfg Config) (*STT, error) {
	p, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	s := &STT{plan: p}
	opts := googlecloud.ClientOptions(p.address, cfg.Options)
	if p.version2 {
		s.engine, err = newVersion2(p, opts)
	} else {
		s.engine, err = newVersion1(p, opts)
	}
	if err != nil {
		return nil, googlecloud.NoClient("googlespeech", err)
	}
	return s, nil
}

// Close ends the connections. Calls that are under way fail.
func (s *STT) Close() error { return s.engine.Close() }

// Transcribe implements ports.STTPort. Of more than four languages version 1 hears
// the first four.
func (s *STT) Transcribe(ctx context.Context, audio domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, op); err != nil {
		return domain.Transcript{}, err
	}
	if audio.Empty() {
		return domain.Transcript{}, &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("there is no clip")}
	}
	c, err := measure(audio)
	if err != nil {
		return domain.Transcript{}, &ports.Error{Op: op, Kind: ports.KindUnsupported, Err: err}
	}
	q := query{clip: c, languages: s.plan.languages, phrases: phrases(opt.Hint)}
	if len(opt.Languages) > 0 {
		var ok bool
		if q.languages, ok = googleTags(opt.Languages, s.plan.version2); !ok {
			return domain.Transcript{}, &ports.Error{Op: op, Kind: ports.KindUnsupported, Err: errors.New("a language is no BCP 47 tag")}
		}
	}
	ctx, cancel := s.bounded(ctx, c)
	defer cancel()
	parts, err := s.hear(ctx, q)
	if err != nil {
		return domain.Transcript{}, failure(ctx, err)
	}
	return transcript(parts, q.languages), nil
}

func (s *STT) hear(ctx context.Context, q query) ([]part, error) {
	if q.clip.short() {
		return s.engine.recognize(ctx, q)
	}
	return s.stream(ctx, q)
}

// bounded gives a call without a deadline its own.
func (s *STT) bounded(ctx context.Context, c clip) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	limit := patience
	if !c.short() {
		limit += time.Duration(float64(c.length) / min(s.plan.pace, 1))
	}
	return context.WithTimeout(ctx, limit)
}
