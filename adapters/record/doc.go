// Package record is the form in which stores keep domain values: JSON with a
// version, short field names and times as RFC 3339 with nanoseconds in UTC. A
// zero time is left out and comes back as the zero time.
//
// Every record carries "v". A reader takes its own version and older ones; a
// newer version is ErrNewer, because guessing at fields it does not know would
// lose them at the next write. Unknown fields within a known version are passed
// over, so an addition that may be lost needs no new version.
//
// With a key, a Sealer seals records for their place, and Names turns what leads to a
// person into keyed hashes; see ADR 22.
//
// Errors name what could not be read and never quote the record: it holds what
// people wrote. Text must be UTF-8; a byte that is not becomes U+FFFD.
package record

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	json "github.com/go-json-experiment/json/v1"
)

// Version is the version this package writes.
const Version = 1

// The reasons for which a record cannot be read or written.
var (
	// ErrNewer says that a later release wrote the record.
	ErrNewer = errors.New("record was written by a newer version")
	// ErrUnknownKind says that the record holds content of a kind that is not known.
	ErrUnknownKind = errors.New("record holds an unknown kind of content")
	// ErrMalformed says that the bytes are not a record of the asked type.
	ErrMalformed = errors.New("record is malformed")
)

// Unreadable reports whether err says that a record cannot be read, now or later.
func Unreadable(err error) bool {
	return errors.Is(err, ErrNewer) || errors.Is(err, ErrUnknownKind) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrSealed)
}

var ownVersion = fmt.Appendf(nil, `{"v":%d,`, Version)

// open reads data into v after it has looked at the version alone: a newer record
// may have fields of other types.
func open(what string, data []byte, v any) error {
	var head struct {
		V int `json:"v"`
	}
	if bytes.HasPrefix(data, ownVersion) {
		head.V = Version // as this release writes it, in front: no need to read all of it for that
	} else if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("decode %s: %w", what, ErrMalformed)
	}
	switch {
	case head.V > Version:
		return fmt.Errorf("decode %s: %w (%d, this one reads up to %d)", what, ErrNewer, head.V, Version)
	case head.V < 1:
		return fmt.Errorf("decode %s: %w: no version", what, ErrMalformed)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode %s: %w", what, ErrMalformed)
	}
	return nil
}

func marshal(what string, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		// The cause may quote a value, so only the kind of trouble is told.
		return nil, fmt.Errorf("encode %s: a value has no JSON form", what)
	}
	return data, nil
}

// moment is a time as it is stored: UTC, no monotonic reading, a year of four
// digits.
type moment struct{ time.Time }

func stamp(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{t.UTC().Round(0)}
}

// UnmarshalJSON refuses a time that UTC moves out of the years RFC 3339 can
// write, because it could not be stored again.
func (m *moment) UnmarshalJSON(data []byte) error {
	var t time.Time
	if err := t.UnmarshalJSON(data); err != nil {
		return err
	}
	if *m = stamp(t); m.Year() < 0 || m.Year() > 9999 {
		return ErrMalformed
	}
	return nil
}
