package simulator

import (
	"encoding/json"
	"io"
	"net/http"
)

// sendRequest is the body of POST /{phone_number_id}/messages as far as the simulator reads it. Pointers tell "absent"
// from "empty".
type sendRequest struct {
	MessagingProduct string          `json:"messaging_product"`
	RecipientType    string          `json:"recipient_type"`
	To               string          `json:"to"`
	Recipient        string          `json:"recipient"`
	Type             string          `json:"type"`
	Status           string          `json:"status"`
	MessageID        string          `json:"message_id"`
	TypingIndicator  *typingRequest  `json:"typing_indicator"`
	Context          *contextRequest `json:"context"`
	CallbackData     string          `json:"biz_opaque_callback_data"`
	Text             *textRequest    `json:"text"`

	body object
}

type typingRequest struct {
	Type string `json:"type"`
}

type contextRequest struct {
	MessageID string `json:"message_id"`
}

type textRequest struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url"`
}

type mediaRequest struct {
	ID       string `json:"id"`
	Link     string `json:"link"`
	Voice    bool   `json:"voice"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
}

// postMessages answers sends, read receipts and typing indicators.
func (s *Simulator) postMessages(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxGraphBody))
	if err != nil {
		s.refuseSend(w, nil, raw, parameter("Invalid parameter", "The body could not be read or is over 1 MB."))
		return
	}
	req, f, ok := parseSend(raw)
	if !ok {
		s.refuseSend(w, nil, nil, f)
		return
	}
	if req.Status != "" || req.TypingIndicator != nil {
		s.markReadByBot(w, req)
		return
	}
	s.acceptSend(w, req, raw)
}

func parseSend(raw []byte) (sendRequest, failure, bool) {
	var req sendRequest
	body, err := parseObject(raw)
	if err != nil {
		return req, parameter("Invalid parameter", "The body is not a JSON object."), false
	}
	if err := json.Unmarshal(raw, &req); err != nil {
		return req, parameter("Invalid parameter", "A parameter has the wrong JSON type."), false
	}
	req.body = body
	if req.MessagingProduct == "" {
		return req, parameter("The parameter messaging_product is required.", "messaging_product is missing."), false
	}
	if req.MessagingProduct != "whatsapp" {
		return req, parameter("Param messaging_product must be one of {WHATSAPP}", "messaging_product must be whatsapp."), false
	}
	if req.Type == "" && req.Text != nil {
		req.Type = "text" // the documented default
	}
	return req, failure{}, true
}

// acceptSend validates a message and, if all is well, writes it to the log before anything else happens.
func (s *Simulator) acceptSend(w http.ResponseWriter, req sendRequest, raw []byte) {
	s.mu.Lock()
	u, out, f := s.validateSend(req)
	if out == nil {
		s.mu.Unlock()
		s.refuseSend(w, u, raw, f)
		return
	}
	m := &Message{
		ID: s.newWAMID(u, DirectionOut), User: u.ID, Direction: DirectionOut, Type: req.Type, At: s.nowMS(),
		Text: out.text, Media: out.media, ContextID: out.contextID, Raw: json.RawMessage(raw), Status: StatusSending,
		CallbackData: req.CallbackData,
	}
	drop := s.roll(s.faults.DropAnswerPercent)
	s.mu.Unlock()

	entry := Entry{
		At: m.At, Kind: LogSend, User: u.ID, IDs: []string{m.ID}, Type: m.Type, CallbackData: m.CallbackData,
		Body: m.Raw, HTTPStatus: http.StatusOK, Flags: out.flags,
	}
	if drop {
		entry.Flags = append(entry.Flags, "answer_dropped")
	}
	if err := s.log.addSync(entry); err != nil {
		s.refuseSend(w, u, nil, failure{Code: codeUnknown, Details: "The simulator could not write its log."})
		return
	}

	s.mu.Lock()
	s.counts.Accepted++
	s.stopTyping(u)
	s.addMessage(u, m)
	s.planStatuses(u, m, out.late)
	userID, phone := u.UserID, u.Phone // they may change once the lock is gone
	s.mu.Unlock()

	if drop {
		cutConnection(w)
		return
	}
	contact := obj("input", out.input)
	if out.byUserID {
		contact.set("user_id", userID)
	} else {
		contact.set("wa_id", phone)
	}
	writeJSON(w, http.StatusOK, obj("messaging_product", "whatsapp", "contacts", []object{contact},
		"messages", []object{obj("id", m.ID)}))
}

// cutConnection ends the exchange without an answer.
func cutConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the way of net/http for connections that cannot be taken over
	}
	_ = conn.Close()
}

func (s *Simulator) refuseSend(w http.ResponseWriter, u *user, raw []byte, f failure) {
	e := Entry{Kind: LogSendRefused, HTTPStatus: f.status(), Code: f.Code, Reason: f.message() + ": " + f.details()}
	if u != nil {
		e.User = u.ID
	}
	if json.Valid(raw) {
		e.Body = raw
	}
	s.note(e)
	s.mu.Lock()
	s.counts.Refused++
	s.changedLocked()
	s.mu.Unlock()
	s.writeFailure(w, f)
}
