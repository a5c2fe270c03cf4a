package fake

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"whatsappnode/ports"
)

// Knobs say how a fake vendor behaves. The zero value answers at once and never
// fails. Each vendor looks only at the knobs that concern it, so one set can serve
// all three.
type Knobs struct {
	// FirstToken is how long the model thinks before its first token.
	FirstToken time.Duration
	// Rate is the model's tokens a second; 0 is no limit. The last of n tokens comes
	// n/Rate after FirstToken.
	Rate float64
	// Chunk is how many tokens the model yields at a time; 0 means 1.
	Chunk int
	// Tokens pads an answer that was not scripted to that many tokens of four
	// characters.
	Tokens int
	// CutAfter ends the model's stream with KindTransient after that many tokens.
	CutAfter int

	// Transcribe is how long the ear takes for a clip.
	Transcribe time.Duration

	// Speak and PerChar are how long the voice takes: a fixed time and a time for
	// each character.
	Speak   time.Duration
	PerChar time.Duration
	// Corrupt makes the voice deliver bytes with a wrong checksum.
	Corrupt bool
	// WrongFormat makes the voice deliver another format than asked, honestly named.
	WrongFormat bool

	// Error is the kind of failure, before any answer; empty for none.
	Error ports.Kind
	// ErrorNext limits the failures to that many calls, and ErrorEvery to each call
	// whose number (from 1) it divides; with both 0 every call fails. They are
	// counted from when the knobs were set.
	ErrorNext  int
	ErrorEvery int
	// Panic makes the calls that fail panic instead, with what they were asked as the
	// value: the worst that a library can do.
	Panic bool
	// RetryAfter goes with the error.
	RetryAfter time.Duration
	// Hang makes every call wait until its context ends; the model hangs after its
	// CutAfter tokens, or before the first.
	Hang bool
	// HangEvery makes each call hang whose number (from 1) it divides; 0 leaves it to
	// Hang.
	HangEvery int
	// Empty makes the answer empty: no text, an empty transcript, a clip of one
	// sample.
	Empty bool
}

// kinds are the error kinds a knob may name.
var kinds = []ports.Kind{
	ports.KindUnknown, ports.KindInvalid, ports.KindDenied, ports.KindBlocked, ports.KindUnsupported,
	ports.KindNotFound, ports.KindTransient, ports.KindRateLimited, ports.KindTimeout, ports.KindCanceled,
}

// ParseKnobs reads knobs written as "name=value,name=value":
//
//	ttft=400ms        FirstToken          speak=250ms+4ms  Speak and PerChar
//	rate=60           Rate                transcribe=600ms Transcribe
//	chunk=8           Chunk               corrupt          Corrupt
//	tokens=120        Tokens              wrongformat      WrongFormat
//	cut=5             CutAfter            hang[=every200]  Hang, HangEvery
//	error=KIND        every call fails    empty            Empty
//	error=KIND:3      the next three      retryafter=2s    RetryAfter
//	error=KIND:every5 each fifth          panic            Panic
//
// All faults are reported together.
func ParseKnobs(s string) (Knobs, error) {
	var (
		k      Knobs
		faults []error
		seen   = map[string]bool{}
	)
	for part := range strings.SplitSeq(s, ",") {
		name, value, has := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" && !has {
			continue
		}
		set, known := setters[name]
		switch {
		case !known:
			faults = append(faults, fmt.Errorf("unknown knob %q, known are %s", name, strings.Join(knobNames(), ", ")))
		case seen[name]:
			faults = append(faults, fmt.Errorf("knob %s is given twice", name))
		default:
			seen[name] = true
			if err := set(&k, value, has); err != nil {
				faults = append(faults, fmt.Errorf("knob %s: %w", name, err))
			}
		}
	}
	if err := k.Validate(); err != nil && len(faults) == 0 {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return Knobs{}, errors.Join(faults...)
	}
	return k, nil
}

type setter = func(k *Knobs, value string, has bool) error

var setters = map[string]setter{
	"ttft":        durationKnob(func(k *Knobs) *time.Duration { return &k.FirstToken }),
	"transcribe":  durationKnob(func(k *Knobs) *time.Duration { return &k.Transcribe }),
	"retryafter":  durationKnob(func(k *Knobs) *time.Duration { return &k.RetryAfter }),
	"chunk":       countKnob(func(k *Knobs) *int { return &k.Chunk }),
	"tokens":      countKnob(func(k *Knobs) *int { return &k.Tokens }),
	"cut":         countKnob(func(k *Knobs) *int { return &k.CutAfter }),
	"corrupt":     flagKnob(func(k *Knobs) *bool { return &k.Corrupt }),
	"wrongformat": flagKnob(func(k *Knobs) *bool { return &k.WrongFormat }),
	"hang": func(k *Knobs, value string, has bool) error {
		if every, ok := strings.CutPrefix(value, "every"); ok {
			return parseCount(&k.HangEvery, every)
		}
		return flagKnob(func(k *Knobs) *bool { return &k.Hang })(k, value, has)
	},
	"panic": flagKnob(func(k *Knobs) *bool { return &k.Panic }),
	"empty": flagKnob(func(k *Knobs) *bool { return &k.Empty }),
	"rate": func(k *Knobs, value string, _ bool) error {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v > 0 && v <= 1e9) {
			return fmt.Errorf("%q is not a number of tokens a second above 0", value)
		}
		k.Rate = v
		return nil
	},
	"speak": func(k *Knobs, value string, _ bool) (err error) {
		fixed, each, has := strings.Cut(value, "+")
		if k.Speak, err = parseDuration(fixed); err == nil && has {
			k.PerChar, err = parseDuration(each)
		}
		return err
	},
	"error": func(k *Knobs, value string, _ bool) error {
		kind, when, has := strings.Cut(value, ":")
		if !slices.Contains(kinds, ports.Kind(kind)) {
			return fmt.Errorf("unknown kind %q, known are %s", kind, join(kinds))
		}
		k.Error = ports.Kind(kind)
		if !has {
			return nil
		}
		target := &k.ErrorNext
		if rest, every := strings.CutPrefix(when, "every"); every {
			target, when = &k.ErrorEvery, rest
		}
		return parseCount(target, when)
	},
}

func durationKnob(field func(*Knobs) *time.Duration) setter {
	return func(k *Knobs, value string, _ bool) (err error) {
		*field(k), err = parseDuration(value)
		return err
	}
}

func countKnob(field func(*Knobs) *int) setter {
	return func(k *Knobs, value string, _ bool) error { return parseCount(field(k), value) }
}

func flagKnob(field func(*Knobs) *bool) setter {
	return func(k *Knobs, value string, has bool) error {
		if has && value != "true" {
			return fmt.Errorf("it is on when named; %q is no value for it", value)
		}
		*field(k) = true
		return nil
	}
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration with its unit, such as 250ms", s)
	}
	return d, nil
}

func parseCount(n *int, s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 1 || v > 1_000_000 {
		return fmt.Errorf("%q is not a count from 1 to 1000000", s)
	}
	*n = v
	return nil
}

func knobNames() []string {
	names := make([]string, 0, len(setters))
	for name := range setters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func join(kinds []ports.Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// Validate reports knobs that make no sense.
func (k Knobs) Validate() error {
	switch {
	case k.FirstToken < 0 || k.Transcribe < 0 || k.Speak < 0 || k.PerChar < 0 || k.RetryAfter < 0:
		return errors.New("fake knobs: a duration is negative")
	case k.Rate < 0 || k.Chunk < 0 || k.Tokens < 0 || k.CutAfter < 0 || k.ErrorNext < 0 || k.ErrorEvery < 0 || k.HangEvery < 0:
		return errors.New("fake knobs: a number is negative")
	case k.Error != "" && !slices.Contains(kinds, k.Error):
		return fmt.Errorf("fake knobs: unknown error kind %q", k.Error)
	case k.Error == "" && (k.ErrorNext > 0 || k.ErrorEvery > 0 || k.RetryAfter > 0 || k.Panic):
		return errors.New("fake knobs: failures are counted but have no error kind")
	}
	return nil
}

// explode panics with what a call was asked, where the knobs say so.
func (k Knobs) explode(asked string) {
	if k.Panic {
		panic("fake: " + asked)
	}
}
