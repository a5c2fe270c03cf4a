package oggopus

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The pause between two clips of a joined note, on top of the silence the clips
// begin and end with.
const (
	DefaultPause = 160 * time.Millisecond
	// MinPause is one packet of silence, which the decoder needs between two clips.
	MinPause = 20 * time.Millisecond
	MaxPause = 2 * time.Second
)

// maxGainStep is how far the output gains of joined clips may lie apart: 3 dB, as a
// Q7.8 number. A larger step in loudness is plainly heard.
const maxGainStep = 3 << 8

// minPreSkip is the smallest look-ahead an Opus encoder has, 2.5 ms. Tools take less
// for a mistake.
const minPreSkip = 120

var (
	// ErrNoClips says that there was nothing to join.
	ErrNoClips = errors.New("there are no clips")
	// ErrMixedGain says that clips ask the player for output gains more than 3 dB
	// apart, which one stream cannot express.
	ErrMixedGain = errors.New("the clips' output gains differ by more than 3 dB")
)

// ClipError says which clip cannot be joined.
type ClipError struct {
	// Index counts from 0.
	Index int
	Err   error
}

func (e *ClipError) Error() string { return fmt.Sprintf("clip %d: %v", e.Index, e.Err) }
func (e *ClipError) Unwrap() error { return e.Err }

// JoinOptions describe a joined note. The zero value is usable.
type JoinOptions struct {
	// Pause is what is heard between two clips: MinPause to MaxPause, and
	// DefaultPause when zero. 120 to 200 ms sound natural between sentences.
	Pause time.Duration
	// Pauses, where it has an entry above zero, is the pause after the clip of that
	// index in place of Pause, for a seam inside a sentence or between paragraphs.
	Pauses []time.Duration
	// Serial is the stream's serial number, 1 when zero. The same clips and options
	// always make the same bytes.
	Serial uint32
	// Comments are "NAME=value" pairs for the comment header, with the limits of
	// Options.Comments.
	Comments []string
}

// pause is the wanted pause after a clip, in samples.
func (o JoinOptions) pause(clip int) int64 {
	d := o.Pause
	if d == 0 {
		d = DefaultPause
	}
	if clip < len(o.Pauses) && o.Pauses[clip] > 0 {
		d = o.Pauses[clip]
	}
	return int64(d) * ClockRate / int64(time.Second)
}

func (o JoinOptions) check() error {
	wrong := func(d time.Duration) bool { return d != 0 && (d < MinPause || d > MaxPause) }
	if wrong(o.Pause) || slices.ContainsFunc(o.Pauses, wrong) {
		return fmt.Errorf("a pause must last %v to %v", MinPause, MaxPause)
	}
	return nil
}

// Join makes one voice note of clips in their order: one logical stream with our
// own serial number, positions, comments and pages of a second (RFC 3533, RFC
// 7845). The clips may come from different encoders, in any mode, frame size and
// input rate; their packets are taken over as they are, nothing is encoded again.
//
// The first clip's head stays: its pre-skip, input rate and output gain are the
// note's. (A pre-skip too small for an encoder to have written draws warnings, so
// that gets a packet of silence to skip as well.) The pauses are packets of silence, chosen so that the decoder forgets the
// clip before: each clip sounds as it does alone. The end trim of one clip and the
// pre-skip of the next, which only a whole stream can have, are heard as parts of the
// pause between them, so that the note lasts as long as the clips and the pauses
// together: within 10 ms in all, and within 20 ms a clip if pauses under 120 ms are
// asked of clips with frames over 20 ms.
//
// Loudness is kept in so far as nothing is changed. An Opus packet's loudness
// cannot be changed without encoding it again, so voices of different loudness
// stay different (see Loudness), and clips whose heads ask for output gains over
// 3 dB apart are refused with ErrMixedGain.
//
// Every clip must pass Check and every packet must be mono: ErrNotMono asks the
// caller to convert the clip. An error about one clip is a *ClipError. The result is
// at most MaxVoiceNote, else ErrTooLarge; CheckNote has the smaller limit. The length
// is what a player plays of the note, as Inspect would find it.
func Join(clips [][]byte, opt JoinOptions) (note []byte, length time.Duration, err error) {
	if note, length, err = join(clips, opt); err != nil {
		return nil, 0, fmt.Errorf("join voice note: %w", err)
	}
	return note, length, nil
}

func join(clips [][]byte, opt JoinOptions) (note []byte, length time.Duration, err error) {
	if len(clips) == 0 {
		return nil, 0, ErrNoClips
	}
	if err := opt.check(); err != nil {
		return nil, 0, err
	}
	j := joiner{opt: opt, out: make(sliceWriter, 0, joinedSize(clips, opt)), part: lendPart()}
	defer j.part.giveBack()
	for i, clip := range clips {
		if err := j.add(i, clip); err != nil {
			return nil, 0, &ClipError{Index: i, Err: err}
		}
		if len(j.out) > MaxVoiceNote {
			return nil, 0, ErrTooLarge
		}
	}
	if err := j.w.Close(int(j.tail)); err != nil {
		return nil, 0, err
	}
	if len(j.out) > MaxVoiceNote {
		return nil, 0, ErrTooLarge
	}
	return j.out, toDuration(j.w.Samples() - j.tail - j.w.preSkip), nil
}

// joinedSize estimates the size of the note from above, so that it is allocated
// once; it need not be exact.
func joinedSize(clips [][]byte, opt JoinOptions) int {
	size := int64(4096)
	for i, clip := range clips {
		size += int64(len(clip)) + opt.pause(i)/SilenceSamples*4 + 64
	}
	return int(min(size, MaxVoiceNote))
}

type joiner struct {
	opt  JoinOptions
	out  sliceWriter
	w    *Writer
	part *part
	gain int16
	tail int64 // samples at the end of the last clip that its own file does not play
	late int64 // samples the note is longer than it should be so far
}

func (j *joiner) add(i int, clip []byte) error {
	if err := j.part.read(clip); err != nil {
		return err
	}
	if i == 0 {
		if err := j.open(j.part.info); err != nil {
			return err
		}
	} else if err := j.pause(j.opt.pause(i - 1)); err != nil {
		return err
	}
	j.tail = j.part.trimEnd()
	for _, p := range j.part.kept {
		if err := j.w.WritePacket(p.data); err != nil {
			return err
		}
	}
	return nil
}

func (j *joiner) open(first Info) (err error) {
	serial := j.opt.Serial
	if serial == 0 {
		serial = 1
	}
	j.gain = first.Gain
	skip, unheard := first.PreSkip, first.PreSkip < minPreSkip
	if unheard {
		skip += SilenceSamples
	}
	j.w, err = NewWriter(&j.out, Options{
		Serial: serial, PreSkip: skip, InputRate: first.InputRate, Gain: first.Gain, Comments: j.opt.Comments,
	})
	if err == nil && unheard {
		err = j.w.WritePacket(silenceBefore(j.part.kept[0].data))
	}
	return err
}

// pause writes silence between the clip before and the one that was read. What
// rounding to whole packets costs is made good at the next seam.
func (j *joiner) pause(want int64) error {
	if step := int(j.part.info.Gain) - int(j.gain); step > maxGainStep || step < -maxGainStep {
		return ErrMixedGain
	}
	want -= j.tail + j.part.trimStart() + j.late
	packets := max(1, (want+SilenceSamples/2)/SilenceSamples)
	j.late = packets*SilenceSamples - want
	for range packets - 1 {
		if err := j.w.WritePacket(SilencePacket()); err != nil {
			return err
		}
	}
	return j.w.WritePacket(silenceBefore(j.part.kept[0].data))
}
