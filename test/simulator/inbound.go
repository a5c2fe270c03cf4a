package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Outgoing is one message of one user for SendBatch.
type Outgoing struct {
	User    string
	Content any
}

// SendText sends a text message and returns its wamid. Like all sends it returns before the bot has heard of it.
func (s *Simulator) SendText(user, body string) (string, error) { return s.Send(user, Text(body)) }

// Send sends a message in Meta's inbound shape of one type, such as Text("hi") or any value that marshals to
// {"type":"location","location":{...}}. Members the simulator knows better (from, from_user_id, timestamp) are filled in;
// "context" gets its "from"; an "id" forces the wamid, and with one that was used before the webhook is sent again with
// the new content but the chat keeps the first. It returns the wamid.
func (s *Simulator) Send(user string, content any) (string, error) {
	m, err := s.sendOne(user, content, nil)
	return m.ID, err
}

// SendBatch puts several messages, of one or more users, into a single POST, in this order. At most 1,000.
func (s *Simulator) SendBatch(messages ...Outgoing) ([]string, error) {
	if len(messages) == 0 || len(messages) > maxUpdatesPerPost {
		return nil, fmt.Errorf("send batch: 1 to %d messages", maxUpdatesPerPost)
	}
	contents := make([]object, len(messages))
	for i, m := range messages {
		var err error
		if contents[i], err = parseContent(m.Content); err != nil {
			return nil, fmt.Errorf("send batch: message %d: %w", i, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queued >= s.cfg.MaxQueued {
		return nil, fmt.Errorf("send batch: %w", ErrQueueFull)
	}
	for i, m := range messages {
		if _, err := s.lookup(m.User); err != nil {
			return nil, fmt.Errorf("send batch: message %d: %w", i, err)
		}
	}
	ids := make([]string, len(messages))
	updates := make([]update, len(messages))
	for i, m := range messages {
		u := s.users[m.User]
		var bubble Message
		bubble, updates[i] = s.compose(u, contents[i], nil)
		ids[i] = bubble.ID
	}
	s.counts.Pending += len(updates)
	s.send(updates)
	return ids, nil
}

func (s *Simulator) sendOne(id string, content any, media *Media) (Message, error) {
	o, err := parseContent(content)
	if err != nil {
		return Message{}, fmt.Errorf("send: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(id)
	if err != nil {
		return Message{}, fmt.Errorf("send: %w", err)
	}
	if s.queued >= s.cfg.MaxQueued {
		return Message{}, fmt.Errorf("send: %w", ErrQueueFull)
	}
	m, up := s.compose(u, o, media)
	s.counts.Pending++
	s.tell(up)
	return m, nil
}

func parseContent(content any) (object, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	if o.str("type") == "" {
		return nil, errors.New(`a message needs a "type"`)
	}
	if id, given := o.get("id"); given && (o.str("id") == "" || len(id) > 512) {
		return nil, errors.New(`"id" must be a short string`)
	}
	return o, nil
}

// compose makes the message object, stores the bubble and logs it. The order of members is Meta's: context, from,
// from_user_id, id, timestamp, type, and what belongs to the type. The caller holds the lock.
func (s *Simulator) compose(u *user, content object, media *Media) (Message, update) {
	now := s.now()
	id := content.str("id")
	if id == "" {
		id = s.newWAMID(u, DirectionIn)
	}
	var msg object
	contextID := ""
	if context := content.sub("context"); context != nil {
		contextID = context.str("id")
		msg = append(msg, field{"context", mustJSON(s.completeContext(u, context, contextID))})
	}
	if u.Phone != "" {
		msg.set("from", u.Phone)
	}
	msg.set("from_user_id", u.UserID)
	msg.set("id", id)
	msg.set("timestamp", strconv.FormatInt(now.Unix(), 10))
	for _, f := range content {
		if _, filled := msg.get(f.key); !filled {
			msg = append(msg, f)
		}
	}
	raw := mustJSON(msg)

	kind := content.str("type")
	m := &Message{
		ID: id, User: u.ID, Direction: DirectionIn, Type: kind, At: now.UnixMilli(), Text: readableText(content),
		Media: media, ContextID: contextID, Raw: raw, Status: StatusSent,
	}
	if known := s.byID[id]; known != nil {
		m = known
	} else {
		s.counts.Inbound++
		s.addMessage(u, m)
	}
	u.lastInbound = now
	s.note(Entry{Kind: LogInbound, User: u.ID, IDs: []string{id}, Type: kind, Body: raw})
	up := update{kind: "messages", user: u.ID, id: id, lane: "user " + u.ID, body: raw, acked: func(ok bool) { s.inboundDone(m, ok) }}
	if kind != "system" { // Meta sends system messages without contacts
		up.contact = contactOf(u, true)
	}
	return *m, up
}

// completeContext adds who wrote the message that is answered.
func (s *Simulator) completeContext(u *user, context object, id string) object {
	if _, given := context.get("from"); given || id == "" {
		return context
	}
	from := s.cfg.DisplayPhone
	if m := s.byID[id]; m != nil && m.Direction == DirectionIn {
		from = u.Phone
	}
	if from == "" {
		return context
	}
	return append(obj("from", from), context...)
}

func (s *Simulator) inboundDone(m *Message, ok bool) {
	switch {
	case m.Acked > 0: // the second post of a forced id
		return
	case !ok:
		s.counts.InboundDropped++
		m.Status = StatusFailed
	default:
		s.counts.InboundDelivered++
		m.Acked = s.counts.InboundDelivered
		if m.Status == StatusSent { // a quick bot has marked it read by now
			m.Status = StatusDelivered
		}
	}
	s.messageChanged(m)
}

// readableText is what the page shows as the text of a bubble.
func readableText(o object) string {
	kind := o.str("type")
	body := o.sub(kind)
	switch kind {
	case "text", "system":
		return body.str("body")
	case "button", "order":
		return body.str("text")
	case "interactive":
		for _, reply := range []string{"button_reply", "list_reply"} {
			if title := body.sub(reply).str("title"); title != "" {
				return title
			}
		}
		return body.sub("nfm_reply").str("body")
	case "edit":
		return readableText(body.sub("message"))
	}
	return body.str("caption")
}

// ChangeNumber gives a user another phone number, which also changes the business-scoped user id, and tells the bot by
// a system message.
func (s *Simulator) ChangeNumber(user, phone string) (string, error) {
	s.mu.Lock()
	u, err := s.lookup(user)
	if err == nil && (!isPhone(phone) || s.byPhone[phone] != nil || u.Phone == "") {
		err = errors.New("the phone number is malformed or taken, or the user has none to change")
	}
	if err != nil {
		s.mu.Unlock()
		return "", fmt.Errorf("change number: %w", err)
	}
	old := u.Phone
	content := SystemNumberChanged(u.Name, old, phone)
	_, up := s.compose(u, content.fields, nil) // from the old number
	delete(s.byPhone, old)
	delete(s.byBSUID, u.UserID)
	u.Phone, u.UserID = phone, s.newBSUID(phone)
	s.indexUser(u)
	s.events.publish("user", u.User)
	s.counts.Pending++
	s.tell(up)
	s.mu.Unlock()
	return up.id, nil
}

// ChangeUserID gives a user another business-scoped user id and tells the bot by a system message.
func (s *Simulator) ChangeUserID(user, bsuid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(user)
	if err == nil && (!bsuidPattern.MatchString(bsuid) || s.byBSUID[bsuid] != nil) {
		err = errors.New("the user id is malformed or taken")
	}
	if err != nil {
		return "", fmt.Errorf("change user id: %w", err)
	}
	_, up := s.compose(u, SystemUserIDChanged(u.Name, bsuid).fields, nil)
	delete(s.byBSUID, u.UserID)
	u.UserID = bsuid
	s.indexUser(u)
	s.events.publish("user", u.User)
	s.counts.Pending++
	s.tell(up)
	return up.id, nil
}

// EditMessage sends the edit of an earlier text message. Meta does so only for numbers that are also on a phone.
func (s *Simulator) EditMessage(user, original, newBody string) (string, error) {
	return s.Send(user, Edit(original, newBody))
}

// RevokeMessage sends the withdrawal of an earlier message.
func (s *Simulator) RevokeMessage(user, original string) (string, error) {
	return s.Send(user, Revoke(original))
}

// SendSystemErrors posts a webhook whose value holds errors instead of messages.
func (s *Simulator) SendSystemErrors(code int, details string) error {
	return s.SendChange("messages", obj("messaging_product", "whatsapp",
		"metadata", obj("display_phone_number", s.cfg.DisplayPhone, "phone_number_id", s.cfg.PhoneNumberID),
		"errors", []object{failure{Code: code, Details: details}.inWebhook()}))
}

// SendChange posts a webhook with one change of any field, such as account_update.
func (s *Simulator) SendChange(field string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("send change: %w", err)
	}
	body, err := EncodeWebhook(wrapChanges(s.cfg.WABAID, []object{obj("value", json.RawMessage(raw), "field", field)}))
	if err != nil {
		return fmt.Errorf("send change: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queued >= s.cfg.MaxQueued {
		return fmt.Errorf("send change: %w", ErrQueueFull)
	}
	s.counts.Pending++
	s.enqueue(&post{kind: field, body: body, updates: []update{{kind: field}}})
	s.changedLocked()
	return nil
}
