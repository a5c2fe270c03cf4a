package oggopus

import (
	"fmt"
	"time"
)

// MaxPlayable is the largest voice note, in bytes, that WhatsApp shows with a play
// button; a larger one has to be downloaded by hand (Meta, "Audio messages").
const MaxPlayable = 512 << 10

// Bounds of speech. They are wide on purpose: they are to catch a clip that was cut
// off or that runs on, in any language and at any speed a voice can be set to, not to
// judge a voice. Ordinary speech is 4 (Chinese) to 20 characters a second; a number
// read out in full is slower than one character a second.
const (
	maxCharsPerSecond = 60
	maxTimePerChar    = time.Second
	// timeBeside is what a note may last beside its text: pauses, a breath.
	timeBeside = 10 * time.Second
)

// SizeError says that a sound voice note is too large to be played at a tap. The
// caller may encode it with fewer bits, split it or send text.
type SizeError struct {
	Bytes, Limit int
	// Duration is what the note plays, to find how many parts it needs.
	Duration time.Duration
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the note has %d bytes, over the limit of %d", e.Bytes, e.Limit)
}

// LengthError says that a note does not last as long as its text can.
type LengthError struct {
	Duration, Min, Max time.Duration
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("the note lasts %v, but its text should take %v to %v", e.Duration, e.Min, e.Max)
}

// CheckNote is the last look at a voice note before it is sent. It must pass Check
// (checksums, one ended stream, mono, a duration above zero), have no stereo packet
// (ErrNotMono), last neither much too short nor much too long for a text of so many
// characters (*LengthError; a count of zero or less leaves that out), and be at most
// MaxPlayable (*SizeError, which comes last: such a note is sound otherwise).
//
// It reads headers, checksums and framing and decodes no sound, which would take some
// five hundred times as long, so it cannot tell speech from noise.
func CheckNote(note []byte, characters int) error {
	if err := checkNote(note, characters); err != nil {
		return fmt.Errorf("check voice note: %w", err)
	}
	return nil
}

func checkNote(note []byte, characters int) error {
	info, err := examine(note, func(packet []byte, _ int) error { return mono(packet) })
	if err == nil {
		err = checkLength(info.Duration, characters)
	}
	if err != nil {
		return err
	}
	if len(note) > MaxPlayable {
		return &SizeError{Bytes: len(note), Limit: MaxPlayable, Duration: info.Duration}
	}
	return nil
}

func checkLength(d time.Duration, characters int) error {
	if characters <= 0 {
		return nil
	}
	n := time.Duration(min(characters, 1<<20))
	e := LengthError{Duration: d, Min: n * time.Second / maxCharsPerSecond, Max: timeBeside + n*maxTimePerChar}
	if d < e.Min || d > e.Max {
		return &e
	}
	return nil
}
