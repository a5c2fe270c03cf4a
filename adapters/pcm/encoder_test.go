package pcm_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/pcm"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// quiet is a voice note of silence.
func quiet(t testing.TB, length time.Duration, opt oggopus.Options) []byte {
	t.Helper()
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range length / (20 * time.Millisecond) {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, opt)
	require.NoError(t, err)
	return data
}

// silencer is a codec that makes silence of the right length.
func silencer(t testing.TB) pcm.Codec {
	return func(_ context.Context, sound pcm.Sound) ([]byte, error) {
		return quiet(t, sound.Duration(), oggopus.Options{}), nil
	}
}

// never is a codec that must not be asked.
func never(t testing.TB) pcm.Codec {
	return func(context.Context, pcm.Sound) ([]byte, error) {
		t.Error("the codec was asked")
		return nil, errors.New("no")
	}
}

func second(t testing.TB) domain.Audio {
	return audio(t, domain.MIMEWAV, wav.Encode(make([]int16, 16_000), 16_000))
}

func TestEncoderPassesVoiceNotesOn(t *testing.T) {
	data := quiet(t, time.Second, oggopus.Options{PreSkip: 312})
	for _, mime := range []string{domain.MIMEOggOpus, "audio/ogg", "audio/opus", "Application/OGG"} {
		got, err := pcm.NewEncoder("x", 1, never(t)).Encode(t.Context(), audio(t, mime, data))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, got.Bytes()))
		assert.Equal(t, domain.MIMEOggOpus, got.MIME())
		assert.Equal(t, time.Second-6500*time.Microsecond, got.Duration())
	}
}

func TestEncoderMakesOneStreamOfSeveral(t *testing.T) {
	one := quiet(t, time.Second, oggopus.Options{Serial: 1})
	two := quiet(t, time.Second, oggopus.Options{Serial: 2})
	got, err := pcm.NewEncoder("x", 1, silencer(t)).Encode(t.Context(), audio(t, domain.MIMEOggOpus, append(one, two...)))
	require.NoError(t, err)
	assert.Equal(t, 2*time.Second, got.Duration())
	assert.NoError(t, oggopus.Check(got.Bytes()))
}

func TestEncoderRefuses(t *testing.T) {
	note, long := quiet(t, time.Second, oggopus.Options{}), quiet(t, 2*time.Second, oggopus.Options{})
	for _, c := range []struct {
		name string
		clip domain.Audio
		kind ports.Kind
	}{
		{"no clip", domain.Audio{}, ports.KindInvalid},
		{"no samples", audio(t, domain.MIMEWAV, wav.Encode(nil, 8000)), ports.KindInvalid},
		{"a voice note without sound", audio(t, domain.MIMEOggOpus, note[:bytes.Index(note, []byte("OggS\x00\x04"))]), ports.KindInvalid},
		{"another type", audio(t, "audio/flac", note), ports.KindUnsupported},
		{"a voice note cut between pages", audio(t, domain.MIMEOggOpus, long[:bytes.LastIndex(long, []byte("OggS"))]), ports.KindUnsupported},
		{"a cut voice note", audio(t, domain.MIMEOggOpus, note[:len(note)-1]), ports.KindUnsupported},
		{"a long voice note", audio(t, domain.MIMEOggOpus, quiet(t, pcm.MaxLength+20*time.Millisecond, oggopus.Options{})), ports.KindUnsupported},
		{"long WAV", audio(t, domain.MIMEWAV, wav.Encode(make([]int16, 601*4000), 4000)), ports.KindUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pcm.NewEncoder("the.op", 1, never(t)).Encode(t.Context(), c.clip)
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.kind, e.Kind, err)
			assert.Equal(t, "the.op", e.Op)
			assert.True(t, got.Empty())
		})
	}
}

func TestEncoderChecksTheCodec(t *testing.T) {
	theirs := &ports.Error{Op: "codec", Kind: ports.KindTransient}
	for name, c := range map[string]struct {
		data []byte
		err  error
		kind ports.Kind
	}{
		"nonsense":  {data: []byte("no"), kind: ports.KindUnknown},
		"too short": {data: quiet(t, 900*time.Millisecond, oggopus.Options{}), kind: ports.KindUnknown},
		"too long":  {data: quiet(t, 1100*time.Millisecond, oggopus.Options{}), kind: ports.KindUnknown},
		"an error":  {err: theirs, kind: ports.KindTransient},
	} {
		e := pcm.NewEncoder("x", 1, func(context.Context, pcm.Sound) ([]byte, error) { return c.data, c.err })
		got, err := e.Encode(t.Context(), second(t))
		assert.Equal(t, c.kind, ports.KindOf(err), name)
		assert.True(t, got.Empty(), name)
	}
}

func TestEncoderWorksOnFewClipsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		e := pcm.NewEncoder("x", 2, func(_ context.Context, sound pcm.Sound) ([]byte, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			return quiet(t, sound.Duration(), oggopus.Options{}), nil
		})
		start := time.Now()
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := e.Encode(t.Context(), second(t))
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 2, most.Load())
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestEncoderHasItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, _ pcm.Sound) ([]byte, error) {
			<-ctx.Done()
			return nil, ports.FromContext(ctx, "x")
		}
		e := pcm.NewEncoder("x", 1, hang)
		var wg sync.WaitGroup
		for range 2 { // the second waits for the first in vain
			wg.Go(func() {
				_, err := e.Encode(context.Background(), second(t))
				assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := e.Encode(ctx, second(t))
		assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
		assert.Equal(t, time.Second, time.Since(start), "the caller's deadline goes first")
	})
}

func TestEncoderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, clip := range []domain.Audio{{}, second(t), audio(t, domain.MIMEOggOpus, quiet(t, time.Second, oggopus.Options{})), audio(t, "x/y", []byte("z"))} {
		_, err := pcm.NewEncoder("x", 1, never(t)).Encode(ctx, clip)
		assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
		assert.ErrorIs(t, err, context.Canceled)
	}
	late, cancel := context.WithCancel(t.Context())
	e := pcm.NewEncoder("x", 1, func(context.Context, pcm.Sound) ([]byte, error) {
		cancel()
		return quiet(t, time.Second, oggopus.Options{}), nil
	})
	_, err := e.Encode(late, second(t))
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err), "nobody waits for it any more")
}
