package simulator

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// Directions of a message, seen from the user.
const (
	DirectionIn  = "in"  // user to bot
	DirectionOut = "out" // bot to user
)

// Message is one bubble of a chat.
type Message struct {
	ID        string          `json:"id"` // wamid
	User      string          `json:"user"`
	Direction string          `json:"direction"`
	Type      string          `json:"type"`
	At        int64           `json:"at"`             // Unix milliseconds
	Text      string          `json:"text,omitempty"` // text, caption, or the title of a pressed button
	Media     *Media          `json:"media,omitempty"`
	ContextID string          `json:"context_id,omitempty"`
	Raw       json.RawMessage `json:"raw"` // the Meta-shaped object as it went over the wire

	// Status is sending, sent, delivered, read, played or failed. For direction in it is sent until the bot answered the
	// webhook with 200 (delivered) and marked it read (read).
	Status string        `json:"status"`
	Error  *MessageError `json:"error,omitempty"`
	Blue   bool          `json:"blue"` // direction in: the bot marked it read

	// Echo is true for what somebody of the business wrote from another device.
	Echo bool `json:"echo,omitempty"`

	CallbackData string `json:"biz_opaque_callback_data,omitempty"`

	// Acked is the place of its webhook's first 200 among all of them, from 1; 0 before. Direction in only.
	Acked int `json:"acked,omitempty"`
}

// Media is what the page needs to show a file.
type Media struct {
	ID         string `json:"id"`
	MIME       string `json:"mime_type"`
	Size       int    `json:"size"` // bytes
	Voice      bool   `json:"voice"`
	DurationMS int64  `json:"duration_ms,omitempty"`
	Filename   string `json:"filename,omitempty"`
	Oversized  bool   `json:"oversized,omitempty"` // a voice note over 512 KB: shown with a download icon
}

// MessageError says why a message failed.
type MessageError struct {
	Code  int    `json:"code"`
	Title string `json:"title"`
}

type messageStore struct {
	byID        map[string]*Message
	oldest      []*Message // in order of arrival; the head is forgotten first
	maxMessages int
	nextID      uint64
}

func newMessageStore(max int) messageStore {
	return messageStore{byID: map[string]*Message{}, maxMessages: max}
}

// addMessage stores a message at the end of a chat and tells the pages. The caller holds the lock.
func (s *Simulator) addMessage(u *user, m *Message) {
	s.byID[m.ID] = m
	u.chat = append(u.chat, m)
	s.oldest = append(s.oldest, m)
	if len(s.oldest) > s.maxMessages {
		s.forgetOldest()
	}
	s.messageChanged(m)
}

func (s *Simulator) forgetOldest() {
	m := s.oldest[0]
	s.oldest[0] = nil
	s.oldest = s.oldest[1:]
	delete(s.byID, m.ID)
	// Arrival order is also the order within each chat, so the message is its head.
	u := s.users[m.User]
	u.chat[0] = nil
	u.chat = u.chat[1:]
	u.readTo = max(u.readTo-1, 0)
}

func (s *Simulator) messageChanged(m *Message) {
	s.events.publish("message", m)
	s.changedLocked()
}

func (s *Simulator) messagesOf(id, direction string) []Message {
	u := s.users[id]
	if u == nil {
		return nil
	}
	out := make([]Message, 0, len(u.chat))
	for _, m := range u.chat {
		if direction == "" || (m.Direction == direction && !m.Echo) { // what the bot sent is no echo
			out = append(out, *m)
		}
	}
	return out
}

// newWAMID makes an id that looks like Meta's: "wamid." and base64 of a tag, the peer's number and random bytes. A
// counter keeps it unique. The caller holds the lock.
func (s *Simulator) newWAMID(u *user, direction string) string {
	for {
		s.nextID++
		peer := u.Phone
		if peer == "" {
			peer = u.UserID
		}
		tag := byte(0x12)
		if direction == DirectionOut {
			tag = 0x11
		}
		b := append([]byte{0x1d, 0x18, byte(len(peer))}, peer...)
		b = append(b, 0x15, 0x02, 0x00, tag, 0x18)
		b = append(b, s.randomString(12, "0123456789ABCDEF")...)
		b = append(b, strconv.FormatUint(s.nextID, 16)...)
		id := "wamid." + base64.StdEncoding.EncodeToString(b)
		if s.byID[id] == nil {
			return id
		}
	}
}
