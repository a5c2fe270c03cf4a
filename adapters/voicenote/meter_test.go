package voicenote_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
)

func length(t *testing.T, mime string, data []byte) (time.Duration, error) {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return voicenote.Meter{}.Length(a)
}

func TestVoiceNotesAreMeasured(t *testing.T) {
	for _, want := range []time.Duration{time.Second, 90 * time.Second} {
		c, err := fake.Clip("hello", want)
		require.NoError(t, err)
		got, err := length(t, domain.MIMEOggOpus, c.Bytes())
		require.NoError(t, err)
		require.InDelta(t, want.Seconds(), got.Seconds(), 0.1)
	}
}

func TestDamagedVoiceNotes(t *testing.T) {
	data := sentence(t, 1)
	whole, err := length(t, domain.MIMEOggOpus, data)
	require.NoError(t, err)

	cut, err := length(t, domain.MIMEOggOpus, data[:len(data)*2/3])
	require.NoError(t, err, "what is left can be heard")
	require.Positive(t, cut)

	flipped := bytes.Clone(data)
	flipped[len(flipped)-100] ^= 0xff
	got, err := length(t, domain.MIMEOggOpus, flipped)
	require.NoError(t, err)
	require.LessOrEqual(t, got, 2*whole)

	for name, broken := range map[string][]byte{
		"noise":        bytes.Repeat([]byte{0xa5}, 4000),
		"only a magic": []byte("OggS"),
		"only heads":   data[:100],
		"zeros":        make([]byte, 4000),
	} {
		_, err := length(t, domain.MIMEOggOpus, broken)
		require.Error(t, err, name)
	}
}

// TestNobodyHidesALongClipBehindDamage: a file of 10 MB is long whatever its pages say.
func TestNobodyHidesALongClipBehindDamage(t *testing.T) {
	data := append(bytes.Clone(sentence(t, 1)), make([]byte, 10<<20)...)
	got, err := length(t, domain.MIMEOggOpus, data)
	require.NoError(t, err)
	require.Greater(t, got, time.Hour)
}

func TestOtherContainers(t *testing.T) {
	amr := []byte("#!AMR\n")
	for range 50 {
		amr = append(amr, 7<<3) // 12.2 kbit/s
		amr = append(amr, make([]byte, 31)...)
	}
	got, err := length(t, "audio/amr", amr)
	require.NoError(t, err)
	require.Equal(t, time.Second, got)

	wav := append([]byte("RIFF....WAVEfmt "), make([]byte, 16)...)
	binary.LittleEndian.PutUint32(wav[28:], 32_000)
	wav = append(wav, make([]byte, 64_000-len(wav))...)
	got, err = length(t, domain.MIMEWAV, wav)
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, got)
	binary.LittleEndian.PutUint32(wav[28:], 1<<31)
	got, err = length(t, domain.MIMEWAV, wav)
	require.NoError(t, err)
	require.Greater(t, got, 300*time.Millisecond, "a head cannot make a clip shorter than it can be")

	for mime, want := range map[string]time.Duration{"audio/mpeg": 10 * time.Second, "audio/mp4": 20 * time.Second, "audio/aac": 20 * time.Second} {
		got, err := length(t, mime, make([]byte, 160_000))
		require.NoError(t, err)
		require.Equal(t, want, got, mime)
	}
	for _, mime := range []string{"audio/amr", domain.MIMEWAV} {
		_, err := length(t, mime, []byte("something else, and long enough for a head"))
		require.Error(t, err, mime)
	}
}

func FuzzMeter(f *testing.F) {
	note, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range 10 {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, oggopus.Options{Serial: 1, PreSkip: oggopus.DefaultPreSkip, InputRate: 24_000})
	require.NoError(f, err)
	f.Add(domain.MIMEOggOpus, note)
	f.Add("audio/amr", []byte("#!AMR\n\x3c0123456789"))
	f.Add(domain.MIMEWAV, []byte("RIFF....WAVEfmt 0123456789abcdefghij"))
	f.Add("audio/mp4", []byte("....ftyp"))
	f.Fuzz(func(t *testing.T, mime string, data []byte) {
		clip, err := domain.NewAudio(mime, data, 0)
		if err != nil {
			return
		}
		got, err := voicenote.Meter{}.Length(clip)
		require.False(t, err == nil && got < 0, "a length is never negative")
		require.False(t, err != nil && got != 0)
	})
}
