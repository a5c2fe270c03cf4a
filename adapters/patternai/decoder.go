package patternai

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// firstLine is how the answer of /llm begins.
const firstLine = "request_id:"

// maxFirstLine is more than any request id needs.
const maxFirstLine = 512

var bom = []byte("\xef\xbb\xbf")

// decoder makes text of an answer that comes in pieces cut anywhere: within the
// first line, which it takes off, or within a character, which it keeps until the
// rest is there. A service that leaves the first line out is understood too. Bytes
// that are no UTF-8 become U+FFFD, and white space before the text is dropped.
type decoder struct {
	requestID string
	// first is what came so far while it may still be the first line.
	first  []byte
	inText bool
	// rest is the beginning of a character.
	rest    []byte
	started bool
}

// feed takes the next piece and returns the text that is complete with it.
func (d *decoder) feed(p []byte) (string, error) {
	if d.inText {
		return d.text(p), nil
	}
	d.first = append(d.first, p...)
	line := bytes.TrimLeftFunc(bytes.TrimPrefix(d.first, bom), unicode.IsSpace)
	begun := hasFirstLine(line)
	if !begun && !isStart(line) && !bytes.HasPrefix(bom, d.first) {
		d.inText, d.first = true, nil
		return d.text(line), nil
	}
	if begun {
		if id, text, ended := bytes.Cut(line[len(firstLine):], []byte("\n")); ended {
			d.requestID, d.inText, d.first = string(bytes.TrimSpace(id)), true, nil
			return d.text(text), nil
		}
	}
	if len(d.first) > maxFirstLine {
		return "", errors.New("the answer's first line does not end")
	}
	return "", nil // too little to tell
}

// end returns what is left when the answer is over.
func (d *decoder) end() string {
	if d.inText {
		left := d.rest
		d.rest = nil
		return d.valid(left)
	}
	line := bytes.TrimLeftFunc(bytes.TrimPrefix(d.first, bom), unicode.IsSpace)
	d.inText, d.first = true, nil
	if hasFirstLine(line) {
		d.requestID = string(bytes.TrimSpace(line[len(firstLine):]))
		return ""
	}
	return d.valid(line)
}

// text returns all whole characters.
func (d *decoder) text(p []byte) string {
	b := append(d.rest, p...)
	whole := len(b)
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if at := len(b) - i; utf8.RuneStart(b[at]) {
			if !utf8.FullRune(b[at:]) {
				whole = at
			}
			break
		}
	}
	d.rest = b[whole:]
	return d.valid(b[:whole])
}

func (d *decoder) valid(b []byte) string {
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	if !d.started {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		d.started = s != ""
	}
	return s
}

// isStart reports whether the line may become a first line but is too short yet.
func isStart(line []byte) bool {
	return len(line) < len(firstLine) && strings.EqualFold(string(line), firstLine[:len(line)])
}

func hasFirstLine(line []byte) bool {
	return len(line) >= len(firstLine) && strings.EqualFold(string(line[:len(firstLine)]), firstLine)
}
