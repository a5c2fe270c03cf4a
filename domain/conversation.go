package domain

import (
	"errors"
	"slices"
	"time"
	"unicode"
)

// Role is who said something.
type Role string

// The roles.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// Remark is one thing that was said, as the model is reminded of it.
type Remark struct {
	Role Role
	Text string
	At   time.Time
	Turn TurnID
}

// Conversation is what is remembered of one person's chat with one business
// number. It is a value; copies are independent.
type Conversation struct {
	r ConversationRecord
}

// ConversationRecord is a conversation laid open, for stores.
type ConversationRecord struct {
	ID      ConversationID
	Number  NumberID
	Contact Contact
	// Language is the BCP 47 tag last heard or read, or empty.
	Language string
	// LastInbound is when the user last wrote, by Meta's clock; the 24-hour
	// service window is counted from it.
	LastInbound time.Time
	History     []Remark
}

// Memory bounds what a conversation keeps. Zero means none, not "no limit".
type Memory struct {
	Messages int // remarks of both sides
	Tokens   int // estimated, see EstimateTokens
	// Age is how much older than the newest a remark may be; any when it is zero.
	Age time.Duration
}

// ServiceWindow is how long after the user's last message free text may be sent
// (Meta, "Send messages").
const ServiceWindow = 24 * time.Hour

// NewConversation opens a conversation nobody has spoken in.
func NewConversation(id ConversationID, number NumberID, contact Contact) (Conversation, error) {
	return RestoreConversation(ConversationRecord{ID: id, Number: number, Contact: contact})
}

// RestoreConversation brings back a conversation from a record.
func RestoreConversation(r ConversationRecord) (Conversation, error) {
	if r.ID == "" {
		return Conversation{}, errors.New("conversation has no id")
	}
	if r.Number == "" {
		return Conversation{}, ErrNoNumber
	}
	if err := r.Contact.Validate(); err != nil {
		return Conversation{}, err
	}
	r.History = slices.Clone(r.History)
	return Conversation{r: r}, nil
}

// Record lays the conversation open for a store.
func (c Conversation) Record() ConversationRecord {
	r := c.r
	r.History = slices.Clone(r.History)
	return r
}

func (c Conversation) ID() ConversationID     { return c.r.ID }
func (c Conversation) Number() NumberID       { return c.r.Number }
func (c Conversation) Contact() Contact       { return c.r.Contact }
func (c Conversation) Language() string       { return c.r.Language }
func (c Conversation) LastInbound() time.Time { return c.r.LastInbound }
func (c Conversation) History() []Remark      { return slices.Clone(c.r.History) }

// Hear takes note of an inbound message: how the person is known now, and when
// the service window was last opened.
func (c *Conversation) Hear(m Message) {
	c.r.Contact = c.r.Contact.Merge(m.From)
	switch content := m.Content.(type) {
	case System:
		c.r.Contact = c.r.Contact.Merge(Contact{UserID: content.NewUser, Phone: content.NewPhone})
		return // a system event is not the user speaking
	case Echo:
		return // nor is what the business wrote
	}
	if m.SentAt.After(c.r.LastInbound) {
		c.r.LastInbound = m.SentAt
	}
}

// SpeakIn remembers the language the user was last heard in.
func (c *Conversation) SpeakIn(language string) {
	if language != "" {
		c.r.Language = language
	}
}

// WindowOpen reports whether free text may still be sent at the given moment.
func (c Conversation) WindowOpen(at time.Time) bool {
	return c.r.LastInbound.IsZero() || at.Sub(c.r.LastInbound) < ServiceWindow
}

// Remember adds what was said in one turn and forgets the oldest beyond the
// limits. A turn that is already remembered is not added twice. The history
// never starts with an answer whose question was forgotten.
func (c *Conversation) Remember(limit Memory, remarks ...Remark) {
	for _, r := range remarks {
		if r.Text == "" || slices.ContainsFunc(c.r.History, func(h Remark) bool { return h.Turn == r.Turn && h.Role == r.Role }) {
			continue
		}
		c.r.History = append(c.r.History, r)
	}
	c.r.History = trim(c.r.History, limit)
}

func trim(history []Remark, limit Memory) []Remark {
	tokens, from := 0, len(history)
	for from > 0 && len(history)-from < limit.Messages {
		next := EstimateTokens(history[from-1].Text)
		if tokens+next > limit.Tokens {
			break
		}
		tokens += next
		from--
	}
	if limit.Age > 0 && len(history) > 0 {
		oldest := history[len(history)-1].At.Add(-limit.Age)
		for from < len(history) && history[from].At.Before(oldest) {
			from++
		}
	}
	for from < len(history) && history[from].Role == RoleAssistant {
		from++
	}
	return slices.Clone(history[from:])
}

// firstWide is the first character of Thai, before which no script does without spaces.
const firstWide = '\u0e00'

// EstimateTokens guesses how many tokens a model counts for text: four letters a
// token for alphabets, one a character for scripts written without spaces. It
// errs on the high side; a tokenizer per vendor would cost more than it tells.
func EstimateTokens(text string) int {
	letters, wide := 0, 0
	for _, r := range text {
		if r < firstWide {
			letters++ // without a look at the tables: memories are counted anew with every turn
		} else if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
			wide++
		} else {
			letters++
		}
	}
	return wide + (letters+3)/4
}
