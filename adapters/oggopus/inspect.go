package oggopus

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Info is what Inspect finds in a clip. Head and Tags are those of the first
// stream, the other fields are over all streams.
type Info struct {
	Head
	Tags
	// Serials are the serial numbers of the logical streams; a voice note has one.
	Serials []uint32
	// Packets counts the audio packets.
	Packets int
	// Samples is the sum of what the packets hold, pre-skip and end trim included.
	Samples int64
	// EndTrim is how many samples at the end are not played.
	EndTrim int64
	// Missing is how many samples the granule positions promise beyond what the
	// packets hold; a sound file has none, some recorders leave holes.
	Missing int64
	// Duration is what a player plays.
	Duration time.Duration
	// Ended reports that the last stream says where it ends. A file cut off between
	// two pages does not.
	Ended bool
}

// Inspect reads a whole clip, checks every page and packet, and measures it. Its
// errors have ErrCorrupt in their chain.
func Inspect(data []byte) (Info, error) {
	return inspect(data, nil)
}

// inspect is Inspect, and shows each packet and its samples to each, unless that is
// nil; an error of each ends it.
func inspect(data []byte, each func(packet []byte, samples int) error) (Info, error) {
	var r Reader
	if err := r.start(data); err != nil {
		return Info{}, err
	}
	info := Info{Head: r.Head(), Tags: r.Tags(), Serials: []uint32{r.Serial()}}
	m := meter{head: r.Head()}
	playing := int64(0)
	var p Packet
	for {
		err := r.advance(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return Info{}, err
		}
		for p.Stream >= len(info.Serials) {
			playing += m.close(&info)
			m = meter{head: r.Head()}
			info.Serials = append(info.Serials, r.Serial())
		}
		info.Packets++
		if err := m.add(&p); err != nil {
			return Info{}, err
		}
		if each == nil {
			continue
		}
		if err := each(p.Data, p.Samples); err != nil {
			return Info{}, err
		}
	}
	info.Ended = r.ended
	playing += m.close(&info)
	info.Duration = toDuration(playing)
	return info, nil
}

// meter follows the granule positions of one stream (RFC 7845, section 4).
type meter struct {
	head    Head
	started bool
	start   int64 // position of the first sample; not 0 in a recording joined late
	last    int64 // position of the last page
	samples int64 // in the packets so far
}

func (m *meter) add(p *Packet) error {
	m.samples += int64(p.Samples)
	if p.Granule == noGranule {
		return nil
	}
	if !m.started {
		m.started, m.last = true, p.Granule
		// The first page may end later than its packets only where the stream's
		// beginning was not recorded, and earlier only where the end is trimmed.
		if p.Granule > m.samples {
			m.start = p.Granule - m.samples
		} else if p.Granule < m.samples && !p.Last {
			return corrupt("the first page's granule position lies before its packets")
		}
		return nil
	}
	if p.Granule < m.last {
		return corrupt("granule positions run backwards")
	}
	m.last = p.Granule
	return nil
}

// close adds the stream to info and returns how many samples of it are played.
func (m *meter) close(info *Info) int64 {
	info.Samples += m.samples
	end := m.last - m.start
	switch {
	case end > m.samples:
		info.Missing += end - m.samples
		end = m.samples
	default:
		info.EndTrim += m.samples - end
	}
	return max(0, end-int64(m.head.PreSkip))
}

// MaxVoiceNote is the largest audio upload WhatsApp takes, in bytes (Meta,
// "Media"). Above 512 KB a note shows a download icon instead of a play button.
const MaxVoiceNote = 16 << 20

// The reasons why a sound file is no voice note.
var (
	ErrNotMono    = errors.New("the stream is not mono")
	ErrChained    = errors.New("the file holds several logical streams")
	ErrSilentFile = errors.New("the file plays for no time")
	ErrTooLarge   = errors.New("the file is larger than 16 MB")
	ErrUnended    = errors.New("the stream does not say where it ends")
)

// Check reports why a clip would not play as a WhatsApp voice note: it must be one
// logical stream of mono Opus, ended, of a duration above zero, consistent in
// itself and at most MaxVoiceNote.
func Check(data []byte) error {
	_, err := Examine(data)
	return err
}

// Examine is Check and Inspect in one reading: it returns what it found in a clip
// that would play as a voice note, or why it would not.
func Examine(data []byte) (Info, error) {
	info, err := examine(data, nil)
	if err != nil {
		return Info{}, fmt.Errorf("check voice note: %w", err)
	}
	return info, nil
}

// examine is Examine, with each as in inspect.
func examine(data []byte, each func(packet []byte, samples int) error) (Info, error) {
	if len(data) > MaxVoiceNote {
		return Info{}, ErrTooLarge
	}
	info, err := inspect(data, each)
	if err != nil {
		return Info{}, err
	}
	return info, info.playable()
}

// playable says why a clip that could be read would not play as a voice note.
func (info Info) playable() error {
	switch {
	case len(info.Serials) != 1:
		return ErrChained
	case info.Channels != 1:
		return ErrNotMono
	case info.Duration <= 0:
		return ErrSilentFile
	case info.Missing > 0:
		return corrupt("the granule positions promise %d samples too many", info.Missing)
	case !info.Ended:
		return ErrUnended
	}
	return nil
}
