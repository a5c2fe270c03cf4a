package voicenote_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
)

func clip(t *testing.T, words string, length time.Duration) domain.Audio {
	t.Helper()
	c, err := fake.Clip(words, length)
	require.NoError(t, err)
	return c
}

func TestMakerJoinsClipsWithTheirPauses(t *testing.T) {
	clips := []domain.Audio{clip(t, "one", time.Second), clip(t, "two", 2*time.Second), clip(t, "three", time.Second)}
	pauses := []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond}
	note, err := voicenote.Maker{}.Join(clips, pauses)
	require.NoError(t, err)
	require.Equal(t, domain.MIMEOggOpus, note.MIME())
	require.InDelta(t, 4.4, note.Duration().Seconds(), 0.06, "the pause behind the last clip is not heard")
	require.NoError(t, voicenote.Maker{}.Check(note, 40))
	info, err := oggopus.Inspect(note.Bytes())
	require.NoError(t, err)
	require.Equal(t, info.Duration, note.Duration())
}

func TestMakerRefusesWhatMustNotBeSent(t *testing.T) {
	good := clip(t, "one", 2*time.Second)
	bad := append([]byte(nil), good.Bytes()...)
	bad[len(bad)-1] ^= 1
	damaged, err := domain.NewAudio(domain.MIMEOggOpus, bad, 2*time.Second)
	require.NoError(t, err)

	_, err = voicenote.Maker{}.Join([]domain.Audio{good, damaged}, nil)
	var at *oggopus.ClipError
	require.ErrorAs(t, err, &at)
	require.Equal(t, 1, at.Index)
	require.ErrorIs(t, voicenote.Maker{}.Check(damaged, 20), oggopus.ErrCorrupt)
	var length *oggopus.LengthError
	require.ErrorAs(t, voicenote.Maker{}.Check(good, 1500), &length, "two seconds cannot say so much")
}

func TestMakerLeavesTheSizeToItsCaller(t *testing.T) {
	long := clip(t, "one", 9*time.Minute)
	require.NoError(t, voicenote.Maker{}.Check(long, 0))
	var clips []domain.Audio
	for len(clips)*len(long.Bytes()) <= oggopus.MaxPlayable {
		clips = append(clips, long)
	}
	note, err := voicenote.Maker{}.Join(clips, nil)
	require.NoError(t, err)
	require.Greater(t, len(note.Bytes()), oggopus.MaxPlayable)
	require.NoError(t, voicenote.Maker{}.Check(note, 0))
}
