package settings

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// checkEvery is how often a Source looks at its file.
const checkEvery = time.Second

// Source is a secret that may change while the program runs: given as X_FILE, it
// is read again when the file changed, so a secret is rotated without a restart. A
// new content counts once it stayed the same from one look to the next, so that a
// file that is only half written is left alone.
// Given as X it stays what it was. It is a handle; copies share the value. The
// zero value is empty. It may be used concurrently and prints like Secret.
type Source struct{ s *source }

type source struct {
	path    string
	current atomic.Pointer[reading]
	next    atomic.Int64 // Unix nanoseconds of the next look
	err     atomic.Pointer[error]
	pending atomic.Pointer[fs.FileInfo] // state of a change that may not be complete yet
	taken   atomic.Int64                // contents that were taken after the first
}

// reading is the value with the file's state it was read at.
type reading struct {
	value string
	info  fs.FileInfo
}

// NewSource is a secret that stays the same.
func NewSource(value Secret) Source {
	s := &source{}
	s.current.Store(&reading{value: value.Reveal()})
	return Source{s}
}

// NewFileSource reads a secret from a file and follows the file.
func NewFileSource(path string) (Source, error) {
	value, info, err := readState(path)
	if err != nil {
		return Source{}, err
	}
	s := &source{path: path}
	s.current.Store(&reading{value: value, info: info})
	s.next.Store(time.Now().Add(checkEvery).UnixNano())
	return Source{s}, nil
}

// Followed reports whether the secret is in a file.
func (s Source) Followed() bool { return s.s != nil && s.s.path != "" }

// Changes is how often a new content of the file was taken.
func (s Source) Changes() int64 {
	if s.s == nil {
		return 0
	}
	return s.s.taken.Load()
}

// Current returns the secret. At most once a second it looks whether the file
// changed, and takes the change at the next look; when the file cannot be read or is
// empty, the last good value stays.
func (s Source) Current() string {
	if s.s == nil {
		return ""
	}
	if s.s.path != "" {
		s.s.look()
	}
	return s.s.current.Load().value
}

// Secrets splits the current value at commas, for an old and a new secret side by
// side.
func (s Source) Secrets() Secrets {
	var out Secrets
	_ = out.UnmarshalText([]byte(s.Current())) // has no way to fail
	return out
}

// Err is why the last look at the file failed, or nil. It holds no value.
func (s Source) Err() error {
	if s.s == nil || s.s.err.Load() == nil {
		return nil
	}
	return *s.s.err.Load()
}

func (s *source) look() {
	now, due := time.Now(), s.next.Load()
	if now.UnixNano() < due || !s.next.CompareAndSwap(due, now.Add(checkEvery).UnixNano()) {
		return // too early, or somebody else looks
	}
	last := s.current.Load()
	info, err := os.Stat(s.path)
	if err == nil && same(info, last.info) {
		s.settle(nil)
		return
	}
	value, info, err := readState(s.path)
	if err != nil {
		s.settle(&err)
		return
	}
	if seen := s.pending.Load(); last.info != nil && (seen == nil || !same(info, *seen)) {
		s.pending.Store(&info)
		return
	}
	s.settle(nil)
	s.current.Store(&reading{value: value, info: info})
	if value != last.value {
		s.taken.Add(1)
	}
}

// settle ends a look that leaves nothing to wait for.
func (s *source) settle(err *error) {
	s.err.Store(err)
	s.pending.Store(nil)
}

func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// readState takes the state before the value: a change between the two is then
// seen at the next look.
func readState(path string) (string, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, fmt.Errorf("read secret: it %s", fileProblem(err))
	}
	value, err := readFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("read secret: it %s", fileProblem(err))
	}
	if value == "" {
		return "", nil, fmt.Errorf("read secret: it names an empty file")
	}
	return value, info, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Source) UnmarshalText(text []byte) error {
	*s = NewSource(Secret(text))
	return nil
}

// watch makes the source follow a file whose content it already has.
func (s *Source) watch(path string) {
	if s.s != nil {
		s.s.path = path // no state yet: the first look reads the file
	}
}

// String implements fmt.Stringer.
func (Source) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Source) GoString() string { return redacted }

// Format implements fmt.Formatter.
func (Source) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler.
func (Source) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler.
func (Source) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (Source) LogValue() slog.Value { return slog.StringValue(redacted) }
