package googlespeech_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

// TestMethodByLength: the length is that of the packets, and nothing is sent of a
// clip that is too long.
func TestMethodByLength(t *testing.T) {
	for version, cfg := range versions {
		t.Run(version, func(t *testing.T) {
			s := googlefake.Start(t)
			e := ear(t, s, cfg)
			for _, tt := range []struct {
				length   time.Duration
				streamed bool
			}{
				{20 * time.Millisecond, false},
				{55*time.Second - 20*time.Millisecond, false},
				{55 * time.Second, true}, // with the packet that makes up for the skipped start
				{290*time.Second - 20*time.Millisecond, true},
			} {
				s.Reset()
				clip := recording(t, "hello", tt.length)
				tr, err := e.Transcribe(t.Context(), clip, ports.STTOptions{})
				require.NoError(t, err, tt.length)
				assert.Equal(t, "hello", tr.Text)
				h := s.Hearings()
				require.Len(t, h, 1)
				assert.Equal(t, tt.streamed, h[0].Streamed, tt.length)
				assert.Equal(t, clip.Bytes(), h[0].Sound, "whole and in order")
			}
			s.Reset()
			assert.Equal(t, ports.KindUnsupported, refused(t, t.Context(), e, recording(t, secret, 290*time.Second)).Kind)
			assert.Empty(t, s.Hearings())
		})
	}
}

// TestClaimedLengthIsNotBelieved: a granule position of an hour on a clip of two
// seconds, and a duration that the caller made up.
func TestClaimedLengthIsNotBelieved(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, versions["v2"])
	clip, err := domain.NewAudio("audio/ogg", recording(t, "hello", 2*time.Second).Bytes(), time.Hour)
	require.NoError(t, err)
	_, err = e.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.False(t, s.Hearings()[0].Streamed)
}

// TestLargeShortClipIsStreamed: one request takes 10 MB.
func TestLargeShortClipIsStreamed(t *testing.T) {
	s := googlefake.Start(t)
	s.Hears(googlefake.Result{Text: "loud"})
	e := ear(t, s, versions["v2"])
	clip := loud(t, 2*time.Second, 1200)
	_, err := e.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.False(t, s.Hearings()[0].Streamed)

	padded := padded(t, 9_950_000)
	tr, err := e.Transcribe(t.Context(), padded, ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "loud", tr.Text)
	h := s.Hearings()[1]
	assert.True(t, h.Streamed)
	assert.True(t, bytes.Equal(padded.Bytes(), h.Sound))
}

// padded is a clip of that many bytes in which most is padding (RFC 6716, section
// 3.2.5): 55 s of sound cannot take as much.
func padded(t *testing.T, size int) domain.Audio {
	packet := []byte{0xfb, 0x41} // one frame, with padding
	const pad = 4000
	for range pad / 254 {
		packet = append(packet, 255)
	}
	packet = append(packet, 0)
	packet = append(packet, make([]byte, pad/254*254+3)...)
	clip := loudPackets(t, packet, size/len(packet))
	require.Greater(t, len(clip.Bytes()), size-len(packet))
	return clip
}

// TestMessagesOfAStream: at most 25 KB each, cut between pages.
func TestMessagesOfAStream(t *testing.T) {
	for version, cfg := range versions {
		t.Run(version, func(t *testing.T) {
			s := googlefake.Start(t)
			s.Hears(googlefake.Result{Text: "loud"})
			clip := loud(t, 2*time.Minute, 60) // as WhatsApp records: 24 kbit/s
			_, err := ear(t, s, cfg).Transcribe(t.Context(), clip, ports.STTOptions{})
			require.NoError(t, err)
			h := s.Hearings()[0]
			assert.Equal(t, clip.Bytes(), h.Sound)
			assert.Greater(t, len(h.Messages), 10)
			at := 0
			for _, n := range h.Messages {
				assert.LessOrEqual(t, n, 25_000)
				assert.Equal(t, "OggS", string(h.Sound[at:at+4]), "a message does not begin with a page")
				at += n
			}
		})
	}
}

func TestPieces(t *testing.T) {
	page := func(body int) []byte {
		p := append([]byte("OggS"), make([]byte, 22)...)
		p = append(p, byte(body/255+1))
		for range body / 255 {
			p = append(p, 255)
		}
		p = append(p, byte(body%255))
		return append(p, bytes.Repeat([]byte{'x'}, body)...)
	}
	var file []byte
	for _, body := range []int{0, 100, 10_000, 13_000, 60_000, 1, 23_900, 5} {
		file = append(file, page(body)...)
	}
	var lengths []int
	var again []byte
	for _, p := range googlespeech.Pieces(file) {
		lengths = append(lengths, len(p))
		again = append(again, p...)
	}
	assert.Equal(t, file, again)
	for _, n := range lengths {
		assert.LessOrEqual(t, n, 24_000)
		assert.Positive(t, n)
	}
	assert.Equal(t, len(page(0))+len(page(100))+len(page(10_000))+len(page(13_000)), lengths[0])
	assert.Empty(t, googlespeech.Pieces(nil))
	cut := page(300)
	binary.LittleEndian.PutUint32(cut, 0)
	assert.Len(t, googlespeech.Pieces(cut), 1)
}

// TestInterimResultsAreIgnored: they would come again, with other words.
func TestInterimResultsAreIgnored(t *testing.T) {
	for version, cfg := range versions {
		s := googlefake.Start(t)
		s.Hears(googlefake.Result{Text: "where is", Interim: true}, googlefake.Result{Text: "Where is my tea?"}, googlefake.Result{Text: "pleas", Interim: true})
		tr, err := ear(t, s, cfg).Transcribe(t.Context(), recording(t, "x", time.Minute), ports.STTOptions{})
		require.NoError(t, err)
		assert.Equal(t, "Where is my tea?", tr.Text, version)
	}
}

// TestCutStream: a stream that ends before it took the clip heard only a part of it,
// whether it ends in good order or not.
func TestCutStream(t *testing.T) {
	for version, cfg := range versions {
		for name, f := range map[string]googlefake.Faults{
			"in good order": {AfterAudio: 3, EndStream: true},
			"at once":       {EndStream: true},
			"early":         {AfterAudio: 1, EndStream: true},
			"by the server": {AfterAudio: 3, Status: googlefake.Refusal(codes.Unavailable, secret, "", 0)},
			"by the wire":   {AfterAudio: 3, Drop: true},
		} {
			t.Run(version+"/"+name, func(t *testing.T) {
				s := googlefake.Start(t)
				s.BreakSpeech(f)
				cfg.Pace = 1000
				if f.AfterAudio < 2 {
					cfg.Pace = 0.001 // who waits for the next message's time waits for days
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				assert.Equal(t, ports.KindTransient, refused(t, ctx, ear(t, s, cfg), loud(t, 280*time.Second, 60)).Kind)
				assert.Len(t, s.Hearings(), 1, "it was asked again")
			})
		}
	}
}

// TestPace: sound passes at a multiple of real time.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, googlespeech.WaitPaced(t.Context(), 4, 0))
		assert.Zero(t, time.Since(start))
		require.NoError(t, googlespeech.WaitPaced(t.Context(), 4, time.Minute))
		assert.Equal(t, 15*time.Second, time.Since(start))
		require.NoError(t, googlespeech.WaitPaced(t.Context(), 0.5, time.Minute))
		assert.Equal(t, 135*time.Second, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, googlespeech.WaitPaced(ctx, 1, time.Hour), context.DeadlineExceeded)
		assert.Equal(t, 136*time.Second, time.Since(start))
		require.Error(t, googlespeech.WaitPaced(ctx, 1, 0), "an ended call sends no more")
	})
}

// TestStreamKeepsToItsPace: at a thousandth of real time only the first message goes
// out before the call ends.
func TestStreamKeepsToItsPace(t *testing.T) {
	clip := loud(t, time.Minute, 60)
	for version, cfg := range versions {
		t.Run(version, func(t *testing.T) {
			s := googlefake.Start(t)
			cfg.Pace = 0.001
			e := ear(t, s, cfg)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			assert.Equal(t, ports.KindTimeout, refused(t, ctx, e, clip).Kind)
			s.Stop() // when it has stopped, its records are complete
			for _, h := range s.Hearings() {
				assert.LessOrEqual(t, len(h.Messages), 1)
			}
		})
	}
}

// TestOwnDeadline: a call without a deadline has one all the same.
func TestOwnDeadline(t *testing.T) {
	s := googlefake.Start(t)
	cfg := versions["v2"]
	for pace, want := range map[float64]time.Duration{1: 5 * time.Minute, 0.5: 9 * time.Minute, 10: 5 * time.Minute} {
		cfg.Pace = pace
		e := ear(t, s, cfg)
		assert.InDelta(t, time.Minute, googlespeech.OwnDeadline(e, time.Second), float64(10*time.Second))
		assert.InDelta(t, want, googlespeech.OwnDeadline(e, 4*time.Minute), float64(10*time.Second))
	}
}
