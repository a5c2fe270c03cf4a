package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Statuses of a message on its way to the user.
const (
	StatusSending   = "sending"
	StatusSent      = "sent"
	StatusDelivered = "delivered"
	StatusRead      = "read"
	StatusPlayed    = "played"
	StatusFailed    = "failed"
)

// statusRank orders the statuses told by webhook; 0 is no such status.
func statusRank(name string) int {
	return slices.Index([]string{StatusSent, StatusDelivered, StatusRead, StatusPlayed, StatusFailed}, name) + 1
}

// step is one status to come.
type step struct {
	name string
	fail failure
	at   time.Duration // after the send
}

// planStatuses lays out what will be told about a send that was just accepted. late, if it has a code, makes it fail after
// `sent`. The caller holds the lock.
func (s *Simulator) planStatuses(u *user, m *Message, late failure) {
	gap := ms(s.faults.StatusDelayMS)
	steps := []step{{name: StatusSent}}
	voice := m.Media != nil && m.Media.Voice
	switch {
	case late.Code != 0:
		steps = append(steps, step{name: StatusFailed, fail: late})
	case s.faults.AutoDelivered:
		steps = append(steps, step{name: StatusDelivered})
		if s.faults.AutoRead {
			steps = append(steps, step{name: StatusRead})
		}
		if s.faults.AutoRead && s.faults.AutoPlayed && voice {
			steps = append(steps, step{name: StatusPlayed})
		}
	}
	for i := range steps {
		steps[i].at = time.Duration(i) * gap
	}
	told := slices.Clone(steps)
	reorder := s.faults.StatusReorder && len(steps) > 1
	if reorder {
		s.rng.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
		if told[0].name == steps[0].name { // a shuffle may change nothing
			told[0], told[1] = told[1], told[0]
		}
	}
	s.counts.Pending += len(told)
	accepted := s.now()
	for i := range steps {
		do := func() {
			s.applyStatus(m, steps[i])
			s.tellStatus(u, m, told[i], accepted.Add(told[i].at))
		}
		if steps[i].at == 0 {
			do() // before anything the user could do with the message
			continue
		}
		s.later(steps[i].at, do)
	}
}

// applyStatus moves the bubble on; it never goes back.
func (s *Simulator) applyStatus(m *Message, st step) {
	if statusRank(st.name) <= statusRank(m.Status) {
		return
	}
	m.Status = st.name
	e := Entry{Kind: LogStatus, User: m.User, IDs: []string{m.ID}, Type: st.name, CallbackData: m.CallbackData}
	if st.name == StatusFailed {
		m.Error = &MessageError{st.fail.Code, st.fail.title()}
		e.Code, e.Reason = st.fail.Code, st.fail.title()
	}
	s.note(e)
	s.messageChanged(m)
}

// tellStatus sends the webhook of a status that Counts.Pending already counts, unless it is switched off.
func (s *Simulator) tellStatus(u *user, m *Message, st step, at time.Time) {
	full := s.queued >= s.cfg.MaxQueued
	if full {
		s.note(Entry{Kind: LogWebhookDropped, Webhook: "statuses", User: u.ID, IDs: []string{m.ID}, Type: st.name, Reason: ErrQueueFull.Error()})
	}
	if full || slices.Contains(s.faults.DropStatuses, st.name) {
		s.counts.Pending--
		s.changedLocked()
		return
	}
	body := obj("id", m.ID, "status", st.name, "timestamp", strconv.FormatInt(at.Unix(), 10))
	if u.Phone != "" {
		body.set("recipient_id", u.Phone)
	}
	body.set("recipient_user_id", u.UserID)
	if m.CallbackData != "" {
		body.set("biz_opaque_callback_data", m.CallbackData)
	}
	up := update{kind: "statuses", user: u.ID, id: m.ID, lane: "status " + m.ID}
	switch st.name {
	case StatusSent, StatusDelivered:
		body.set("pricing", obj("billable", true, "pricing_model", "PMP", "type", "regular", "category", "service"))
		up.contact = contactOf(u, st.name == StatusDelivered)
	case StatusRead:
		up.contact = contactOf(u, true)
	case StatusFailed:
		body.set("errors", []object{st.fail.inWebhook()})
	}
	up.body = mustJSON(body)
	s.tell(up)
}

// The four methods below say what the user's phone did with messages of the bot, or what Meta could not do with one; each
// tells the bot by webhook. Repeating one does nothing. They fail with ErrUnknownUser or ErrUnknownMessage.

// MarkDelivered says that messages reached the phone; needed only when auto_delivered is off.
func (s *Simulator) MarkDelivered(user string, ids ...string) error {
	return s.mark(user, step{name: StatusDelivered}, ids)
}

// MarkRead says that the user has seen messages of the bot.
func (s *Simulator) MarkRead(user string, ids ...string) error {
	return s.mark(user, step{name: StatusRead}, ids)
}

// MarkPlayed says that the user played a voice note of the bot.
func (s *Simulator) MarkPlayed(user, id string) error {
	s.mu.Lock()
	m := s.byID[id]
	voice := m != nil && m.Media != nil && m.Media.Voice
	s.mu.Unlock()
	if m != nil && !voice {
		return errors.New("mark played: the message is no voice note")
	}
	return s.mark(user, step{name: StatusPlayed}, []string{id})
}

// FailMessage makes an accepted message of the bot fail with a Graph error code.
func (s *Simulator) FailMessage(user, id string, code int) error {
	return s.mark(user, step{name: StatusFailed, fail: failure{Code: code}}, []string{id})
}

// ErrUnknownMessage says that the bot sent no such message to this user.
var ErrUnknownMessage = errors.New("unknown message")

func (s *Simulator) mark(id string, st step, ids []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(id)
	if err != nil {
		return fmt.Errorf("mark %s: %w", st.name, err)
	}
	for _, id := range ids {
		if m := s.byID[id]; m == nil || m.Direction != DirectionOut || m.User != u.ID {
			return fmt.Errorf("mark %s: %w", st.name, ErrUnknownMessage)
		}
	}
	for _, id := range ids {
		m := s.byID[id]
		if m.Status == StatusFailed || statusRank(m.Status) >= statusRank(st.name) {
			continue
		}
		s.counts.Pending++
		s.applyStatus(m, st)
		s.tellStatus(u, m, st, s.now())
	}
	return nil
}
