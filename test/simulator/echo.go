package simulator

import (
	"fmt"
	"strconv"
)

// SendEcho is what happens when somebody of the business writes to a user from the
// WhatsApp Business app or a linked device: the user gets the message, and the bot is
// told by a webhook of the field smb_message_echoes (Meta, "smb_message_echoes webhook
// reference"). The content is in the shape Send takes; an "id" forces the wamid. It
// returns the wamid.
func (s *Simulator) SendEcho(user string, content any) (string, error) {
	o, err := parseContent(content)
	if err != nil {
		return "", fmt.Errorf("send echo: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(user)
	if err != nil {
		return "", fmt.Errorf("send echo: %w", err)
	}
	if s.queued >= s.cfg.MaxQueued {
		return "", fmt.Errorf("send echo: %w", ErrQueueFull)
	}
	now := s.now()
	id := o.str("id")
	if id == "" {
		id = s.newWAMID(u, DirectionOut)
	}
	msg := obj("from", s.cfg.DisplayPhone)
	if u.Phone != "" {
		msg.set("to", u.Phone)
	}
	msg.set("to_user_id", u.UserID)
	msg.set("id", id)
	msg.set("timestamp", strconv.FormatInt(now.Unix(), 10))
	for _, f := range o {
		if _, filled := msg.get(f.key); !filled {
			msg = append(msg, f)
		}
	}
	raw := mustJSON(msg)
	if s.byID[id] == nil {
		s.addMessage(u, &Message{
			ID: id, User: u.ID, Direction: DirectionOut, Type: o.str("type"), At: now.UnixMilli(), Text: readableText(o),
			Raw: raw, Status: StatusDelivered, Echo: true,
		})
	}
	s.counts.Pending++
	s.tell(update{kind: kindEchoes, user: u.ID, id: id, lane: "user " + u.ID, body: raw, contact: contactOf(u, true)})
	return id, nil
}
