package voicenote

import (
	"errors"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
)

// Maker joins clips to voice notes and examines them. The zero value is ready, and
// may be used concurrently.
type Maker struct{}

// Join makes one note of Ogg/Opus clips, each followed by its pause. No sound is
// encoded again: see oggopus.Join for what can be joined and how loudness is kept.
func (Maker) Join(clips []domain.Audio, pauses []time.Duration) (domain.Audio, error) {
	data := make([][]byte, len(clips))
	for i, c := range clips {
		data[i] = c.Bytes()
	}
	note, length, err := oggopus.Join(data, oggopus.JoinOptions{Pauses: pauses})
	if err != nil {
		return domain.Audio{}, err
	}
	return domain.NewAudio(domain.MIMEOggOpus, note, length)
}

// Check is oggopus.CheckNote but for the size, which its caller sees to.
func (Maker) Check(note domain.Audio, characters int) error {
	err := oggopus.CheckNote(note.Bytes(), characters)
	var size *oggopus.SizeError
	if errors.As(err, &size) {
		return nil
	}
	return err
}
