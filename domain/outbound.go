package domain

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxTextUnits is the longest text body WhatsApp takes: 4,096 characters (Meta,
// "Text messages"). Meta does not say what a character is; counting UTF-16 units
// is right under every reading.
const MaxTextUnits = 4096

// Outbound is one message to be sent to one person.
type Outbound struct {
	Number  NumberID
	To      Contact
	Content OutboundContent
	// ReplyTo quotes one of the user's messages, or is empty.
	ReplyTo MessageID
	// Ref names the turn and part; it comes back with every status.
	Ref PartRef
}

// OutboundContent is a text or a voice note; the set is closed.
type OutboundContent interface{ outbound() }

type (
	// OutboundText is a written message of at most MaxTextUnits.
	OutboundText struct{ Body string }
	// OutboundVoice is a voice note that was uploaded before (Media), or one to
	// upload first (Audio). Exactly one is set.
	OutboundVoice struct {
		Media MediaID
		Audio Audio
	}
)

func (OutboundText) outbound()  {}
func (OutboundVoice) outbound() {}

// Validate reports the first rule the message breaks, or nil.
func (o Outbound) Validate() error {
	if o.Number == "" {
		return ErrNoNumber
	}
	if err := o.To.Validate(); err != nil {
		return err
	}
	switch c := o.Content.(type) {
	case OutboundText:
		if strings.TrimSpace(c.Body) == "" {
			return errors.New("text message is empty")
		}
		if n := TextUnits(c.Body); n > MaxTextUnits {
			return fmt.Errorf("text message of %d characters is over the limit of %d", n, MaxTextUnits)
		}
	case OutboundVoice:
		if (c.Media == "") == c.Audio.Empty() {
			return errors.New("voice message needs either an uploaded media id or audio")
		}
	default:
		return ErrNoContent
	}
	return nil
}

// TextUnits counts s in UTF-16 units, the strictest reading of a "character".
// A byte that is not UTF-8 counts as one.
func TextUnits(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// SplitText cuts s into pieces of at most limit units, each at the best natural
// boundary in its second half: a blank line, a line end, a sentence end, a
// space. A word longer than the limit is cut where it must be. Pieces are
// trimmed and never empty; no character other than white space is lost.
func SplitText(s string, limit int) []string {
	var out []string
	s = strings.TrimSpace(s)
	for s != "" {
		if TextUnits(s) <= limit {
			return append(out, s)
		}
		cut := cutAt(s, limit)
		if piece := strings.TrimSpace(s[:cut]); piece != "" {
			out = append(out, piece)
		}
		s = strings.TrimSpace(s[cut:])
	}
	return out
}

// cutAt returns the byte offset to cut s at; it is always above zero.
func cutAt(s string, limit int) int {
	units, end := 0, 0
	var paragraph, line, sentence, space int
	var prev rune
	for i, r := range s {
		w := utf16.RuneLen(r)
		if units+w > limit && end > 0 {
			break
		}
		if units >= limit/2 {
			switch {
			case r == '\n' && prev == '\n':
				paragraph = i + 1
			case r == '\n':
				line = i + 1
			case unicode.IsSpace(r) && isSentenceEnd(prev):
				sentence = i + 1
			case unicode.IsSpace(r):
				space = i + 1
			case isWideSentenceEnd(r):
				sentence = i + len(string(r))
			}
		}
		units += w
		end = i + len(string(r))
		prev = r
	}
	for _, at := range []int{paragraph, line, sentence, space} {
		if at > 0 && at <= end {
			return at
		}
	}
	return end
}

func isSentenceEnd(r rune) bool {
	return strings.ContainsRune(".!?…:;؟۔।", r)
}

// isWideSentenceEnd covers scripts that put no space after a sentence.
func isWideSentenceEnd(r rune) bool { return strings.ContainsRune("。！？", r) }
