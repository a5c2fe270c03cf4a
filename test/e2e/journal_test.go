package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// journal collects what the runs of one program print, and wakes who waits for it.
type journal struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every write
	runs    []*bytes.Buffer
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

// run opens a chapter: a killed program may leave half a line.
func (j *journal) run() io.Writer {
	j.mu.Lock()
	defer j.mu.Unlock()
	buf := &bytes.Buffer{}
	j.runs = append(j.runs, buf)
	return chapter{j, buf}
}

type chapter struct {
	j   *journal
	buf *bytes.Buffer
}

func (c chapter) Write(p []byte) (int, error) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	close(c.j.changed)
	c.j.changed = make(chan struct{})
	return c.buf.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b strings.Builder
	for _, r := range j.runs {
		b.Write(r.Bytes())
	}
	return b.String()
}

// line is one line of the log.
type line map[string]any

func (l line) str(key string) string { s, _ := l[key].(string); return s }

// event is the stable name of what happened; lines that are no event have a
// message only.
func (l line) event() string {
	if e := l.str("event"); e != "" {
		return e
	}
	return l.str("message")
}

// lines parses every run. Each whole line must be a JSON object; broken are those
// that are not.
func (j *journal) lines() (lines []line, broken []string, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.runs {
		for raw := range bytes.Lines(r.Bytes()) {
			if !bytes.HasSuffix(raw, []byte("\n")) {
				continue // still being written, or cut off by a kill
			}
			var l line
			if json.Unmarshal(raw, &l) != nil {
				broken = append(broken, string(raw))
				continue
			}
			lines = append(lines, l)
		}
	}
	return lines, broken, j.changed
}
