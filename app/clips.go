package app

import (
	"errors"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// ClipMeter measures voice messages before anybody is paid for hearing them. Its
// method may be called concurrently.
type ClipMeter interface {
	// Length is how long a clip plays, exactly or as an estimate. It errs for a clip
	// that cannot be played.
	Length(clip domain.Audio) (time.Duration, error)
}

// errClipTooLong says that a clip, or all clips of the turn together, are over MaxClip.
var errClipTooLong = errors.New("the voice message is too long")

// clipsOfTurn is how many times MaxClip all voice messages of a turn may play: people
// do record several in a row, and a hundred long ones are no question.
const clipsOfTurn = 2

// admitClip refuses a clip that is damaged, or too long by itself or together with
// those of the turn that were admitted before. It may be called concurrently.
func (s *session) admitClip(clip domain.Audio) error {
	if s.opt.Clips == nil || s.persona.MaxClip == 0 {
		return nil
	}
	length, err := s.opt.Clips.Length(clip)
	if err != nil {
		return &ports.Error{Op: "voice message", Kind: ports.KindUnsupported, Err: err}
	}
	if time.Duration(s.listened.Add(int64(length))) > clipsOfTurn*s.persona.MaxClip || length > s.persona.MaxClip {
		s.listened.Add(-int64(length))
		return &ports.Error{
			Op: "voice message", Kind: ports.KindUnsupported,
			Err: fmt.Errorf("%w: it plays for %s", errClipTooLong, length.Round(time.Second)),
		}
	}
	return nil
}

// refuseClip remembers why a clip was not heard. It is kept for as long as the turn is
// in this worker's hands; one that takes it up after a crash asks to repeat the message.
func (s *session) refuseClip(id domain.MessageID, err error) {
	if !errors.Is(err, errClipTooLong) {
		return
	}
	if s.tooLong == nil {
		s.tooLong = map[domain.MessageID]bool{}
	}
	s.tooLong[id] = true
}
