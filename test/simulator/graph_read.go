package simulator

import (
	"net/http"
	"time"
)

// typingShown is how long a typing indicator stays without a reply (Typing indicators).
const typingShown = 25 * time.Second

// markReadByBot answers {"status":"read"} with or without a typing indicator.
func (s *Simulator) markReadByBot(w http.ResponseWriter, req sendRequest) {
	refuse := func(f failure) {
		s.note(Entry{Kind: LogGraphRefused, Type: "read", HTTPStatus: f.status(), Code: f.Code, Reason: f.message() + ": " + f.details()})
		s.writeFailure(w, f)
	}
	switch {
	case req.Status == "":
		refuse(parameter("The parameter status is required.", "typing_indicator goes only together with status read."))
		return
	case req.Status != "read":
		refuse(parameter("Param status must be one of {READ}", "status must be read."))
		return
	case req.MessageID == "":
		refuse(parameter("The parameter message_id is required.", "message_id is missing."))
		return
	case req.TypingIndicator != nil && req.TypingIndicator.Type != "text":
		refuse(parameter("Param typing_indicator['type'] must be one of {TEXT}", "typing_indicator.type must be text."))
		return
	}
	s.mu.Lock()
	m := s.byID[req.MessageID]
	if m == nil || m.Direction != DirectionIn {
		s.mu.Unlock()
		refuse(invalidValue("message_id is no message that was received."))
		return
	}
	u := s.users[m.User]
	s.counts.ReadCalls++
	s.readUpTo(u, m)
	kind := LogRead
	if req.TypingIndicator != nil {
		kind = LogTyping
		s.counts.TypingCalls++
		s.startTyping(u)
	}
	s.changedLocked()
	s.mu.Unlock()
	s.note(Entry{Kind: kind, User: u.ID, IDs: []string{m.ID}, HTTPStatus: http.StatusOK})
	writeJSON(w, http.StatusOK, obj("success", true))
}

// readUpTo turns the ticks of a message, and of all before it, blue.
func (s *Simulator) readUpTo(u *user, m *Message) {
	if m.Blue {
		return
	}
	for u.readTo < len(u.chat) {
		at := u.chat[u.readTo]
		u.readTo++
		if at.Direction == DirectionIn {
			at.Blue = true
			at.Status = StatusRead
			s.messageChanged(at)
		}
		if at == m {
			return
		}
	}
}

// startTyping shows the indicator until the next message of the bot, for 25 s at most. A call while it is shown starts
// the time again only if typing_refresh_extends is on.
func (s *Simulator) startTyping(u *user) {
	now := s.nowMS()
	if now < u.typingUntil && !s.faults.TypingRefreshExtends {
		return
	}
	until := now + typingShown.Milliseconds()
	u.typingUntil = until
	s.events.publish("typing", obj("user", u.ID, "until", until, "on", true))
	s.later(typingShown, func() {
		if u.typingUntil == until {
			s.stopTyping(u)
		}
	})
}

func (s *Simulator) stopTyping(u *user) {
	if u.typingUntil == 0 {
		return
	}
	u.typingUntil = 0
	s.events.publish("typing", obj("user", u.ID, "until", s.nowMS(), "on", false))
	s.changedLocked()
}
