package pcm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/pcm"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

func audio(t testing.TB, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func mp3(t testing.TB, parts ...[]byte) domain.Audio {
	t.Helper()
	return audio(t, domain.MIMEMP3, bytes.Join(parts, nil))
}

// snr is by how much a signal is stronger than its difference from another, in dB.
func snr(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want[:min(len(want), len(got))] {
		d := float64(w) - float64(got[i])
		signal += float64(w) * float64(w)
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}

// lameDelay is by how many samples a file of LAME is late when it is too small for
// the frame of remarks that would say so.
const lameDelay = 576 + 529

func TestMP3SoundsAsItWas(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.name, func(t *testing.T) {
			sound, err := pcm.Decode(t.Context(), mp3(t, read(t, f.name)))
			require.NoError(t, err)
			want := voice(f.rate)
			if sound.Duration() != time.Second {
				want = append(make([]int16, lameDelay), want...)
				assert.InDelta(t, time.Second, sound.Duration(), float64(100*time.Millisecond))
			}
			for i := range want {
				want[i] /= int16(f.channels) // the right channel is silent
			}
			assert.Greater(t, snr(wav.Resample(want, f.rate, sound.Rate), sound.Samples), 10.0)
		})
	}
}

// id3 is a tag of version 2 with n bytes inside.
func id3(n int) []byte {
	return append([]byte{'I', 'D', '3', 4, 0, 0, byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}, make([]byte, n)...)
}

func ape(n int) []byte {
	b := append([]byte("APETAGEX\xd0\x07\x00\x00"), binary.LittleEndian.AppendUint32(nil, uint32(n))...)
	return append(b, make([]byte, 16+n)...)
}

func TestMP3MayBeWrapped(t *testing.T) {
	whole := read(t, "mpeg1-48000")
	plain, err := pcm.Decode(t.Context(), mp3(t, whole))
	require.NoError(t, err)
	require.Equal(t, time.Second, plain.Duration())
	tag := append([]byte("TAG"), make([]byte, 125)...)
	for name, clip := range map[string]domain.Audio{
		"ID3 in front":             mp3(t, id3(1000), whole),
		"ID3 twice":                mp3(t, id3(0), id3(20), whole),
		"ID3 that holds frames":    mp3(t, id3(len(whole))[:10], whole, whole),
		"ID3 version 1 at the end": mp3(t, whole, tag),
		"APE in front":             mp3(t, ape(64), whole),
		"APE and ID3 at the end":   mp3(t, whole, ape(64), tag),
		"zeros at the end":         mp3(t, whole, make([]byte, 500)),
		"zeros in front":           mp3(t, make([]byte, 500), whole),
		"junk in front":            mp3(t, bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0xff}, 100), whole),
		"called audio/mp3":         audio(t, "audio/mp3", whole),
	} {
		got, err := pcm.Decode(t.Context(), clip)
		require.NoError(t, err, name)
		assert.Equal(t, plain, got, name)
	}
	footed := append(id3(100), "3DI\x04\x00\x10\x00\x00\x00\x64"...)
	footed[5] = 0x10
	for name, between := range map[string][]byte{"nothing": nil, "ID3": id3(100), "ID3 with a footer": footed, "several tags": slices.Concat(tag, ape(3), id3(0))} {
		twice, err := pcm.Decode(t.Context(), mp3(t, whole, between, whole))
		require.NoError(t, err, name)
		assert.InDelta(t, 2*time.Second, twice.Duration(), float64(80*time.Millisecond), "two files and between them %s", name)
		assert.Greater(t, snr(plain.Samples, twice.Samples), 60.0)
	}
}

// TestMP3DecoderPanicsEndHere sets the bits of a block form whose table go-mp3 reads
// past its end.
func TestMP3DecoderPanicsEndHere(t *testing.T) {
	const frame = 96
	data := bytes.Clone(read(t, "mpeg2-24000"))
	for at := 4; at < len(data); at += frame {
		data[at+5] |= 1
		data[at+6] = data[at+6]&0x1f | 0xa0
	}
	_, err := pcm.Decode(t.Context(), mp3(t, data))
	assert.ErrorContains(t, err, "the decoder broke")
}

// TestMP3WithoutItsBeginning cuts a stream in whose first frame the sound of lost
// ones goes on: it is silent, and the rest as it was.
func TestMP3WithoutItsBeginning(t *testing.T) {
	const frames = 9
	for _, f := range []struct {
		name       string
		rate, each int
	}{{"mpeg1-44100", 44_100, 1152}, {"mpeg2-24000", 24_000, 576}, {"mpeg2-22050", 22_050, 576}} {
		t.Run(f.name, func(t *testing.T) {
			whole, cut := read(t, f.name), 0
			for range frames {
				next := bytes.Index(whole[cut+4:], whole[:2])
				require.GreaterOrEqual(t, next, 0)
				cut += 4 + next
			}
			sound, err := pcm.Decode(t.Context(), mp3(t, whole[cut:]))
			require.NoError(t, err)
			want := wav.Resample(voice(f.rate)[frames*f.each-lameDelay:], f.rate, sound.Rate)
			early := sound.Rate / 10
			loudest := func(s []int16) (peak int) {
				for _, v := range s {
					peak = max(peak, int(v), -int(v))
				}
				return peak
			}
			assert.LessOrEqual(t, loudest(sound.Samples[:early]), loudest(want), "nothing bursts out")
			assert.Greater(t, snr(want[early:], sound.Samples[early:]), 10.0)
		})
	}
}

func TestMP3Refused(t *testing.T) {
	whole := read(t, "mpeg1-48000")
	for name, clip := range map[string]domain.Audio{
		"MPEG 2.5":                   mp3(t, read(t, "mpeg25")),
		"layer II":                   mp3(t, read(t, "layer2")),
		"free format":                mp3(t, read(t, "free")),
		"text":                       mp3(t, []byte("I am no sound at all, but a page about one.")),
		"zeros":                      mp3(t, make([]byte, 5000)),
		"a WAV file":                 mp3(t, wav.Encode(voice(16_000), 16_000)),
		"a tag alone":                mp3(t, id3(100)),
		"a tag that promises 256 MB": mp3(t, []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), whole),
		"cut inside a frame":         mp3(t, whole[:len(whole)-100]),
		"cut between two frames":     mp3(t, whole[:len(whole)-192]),
		"one head":                   mp3(t, whole[:4]),
		"something between frames":   mp3(t, whole, []byte("and now a message"), whole),
		"two sample rates":           mp3(t, whole, read(t, "mpeg1-32000")),
		"two versions":               mp3(t, whole, read(t, "mpeg2-24000")),
	} {
		t.Run(name, func(t *testing.T) {
			sound, err := pcm.Decode(t.Context(), clip)
			require.Error(t, err)
			require.NotErrorIs(t, err, pcm.ErrEmpty)
			assert.Zero(t, sound)
		})
	}
}

func TestMP3WithoutSound(t *testing.T) {
	remarks := read(t, "mpeg1-48000")[:192]
	_, err := pcm.Decode(t.Context(), mp3(t, remarks))
	assert.Error(t, err, "it promises frames")
	clear(remarks[21+4 : 21+4+8]) // no promise, no remarks about it
	_, err = pcm.Decode(t.Context(), mp3(t, remarks))
	assert.ErrorIs(t, err, pcm.ErrEmpty)
}

func TestMP3IsBounded(t *testing.T) {
	second := read(t, "mpeg2-24000") // 44 frames of 24 ms and no remarks
	data := bytes.Repeat(second, 569)
	_, err := pcm.Decode(t.Context(), mp3(t, data))
	assert.ErrorIs(t, err, pcm.ErrTooLong)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pcm.Decode(canceled, mp3(t, data[:500*len(second)]))
	assert.ErrorIs(t, err, context.Canceled)
	_, err = pcm.Decode(endsAfter(t.Context(), 20), mp3(t, data[:500*len(second)]))
	assert.ErrorIs(t, err, context.Canceled, "in the middle of the work")
}

// fading is a context that ends when it was asked often enough.
type fading struct {
	context.Context
	left atomic.Int64
}

func endsAfter(parent context.Context, questions int64) context.Context {
	f := &fading{Context: parent}
	f.left.Store(questions)
	return f
}

func (f *fading) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// FuzzMP3 feeds arbitrary files, and sound ones with bytes changed. Reading must
// not panic, and what comes out is bounded by what came in.
func FuzzMP3(f *testing.F) {
	for _, x := range fixtures {
		f.Add(read(f, x.name)[:2000], uint16(100), uint16(900), byte(1))
	}
	f.Add(append(id3(5), ape(3)...), uint16(0), uint16(3), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at, and uint16, with byte) {
		data = bytes.Clone(data)
		if len(data) > 0 {
			data[int(at)%len(data)] ^= with
			data[int(and)%len(data)] += with
		} else {
			return
		}
		sound, err := pcm.Decode(context.Background(), mp3(t, data))
		if err != nil {
			require.Zero(t, sound)
			return
		}
		// The smallest frame has 24 bytes and 576 samples; from 44,100 to 48,000 Hz
		// and from 16,000 to 16,000 Hz nothing more than doubles.
		require.LessOrEqual(t, len(sound.Samples), len(data)/24*1152*2)
	})
}
