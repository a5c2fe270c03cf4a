package whatsapp

import (
	"bytes"
	"encoding/json"
	"errors"
)

// parse turns the JSON text into the wire types. Well-formed webhooks take one pass.
// Only when some value has a type that does not fit is the text taken apart piece by
// piece, so that the piece that does not fit is all that is lost.
func parse(raw []byte) (wireEnvelope, error) {
	var top struct {
		Object *string
		Entry  *[]wireEntry
	}
	err := json.Unmarshal(raw, &top)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		if top.Object == nil || top.Entry == nil {
			return wireEnvelope{}, ErrNotWebhook
		}
		return wireEnvelope{Object: *top.Object, Entry: *top.Entry}, nil
	case errors.As(err, &wrongType):
		return parsePieces(raw)
	}
	return wireEnvelope{}, ErrNotJSON
}

func parsePieces(raw []byte) (wireEnvelope, error) {
	var top struct {
		Object *string
		Entry  *[]json.RawMessage
	}
	if json.Unmarshal(raw, &top) != nil || top.Object == nil || top.Entry == nil {
		return wireEnvelope{}, ErrNotWebhook
	}
	env := wireEnvelope{Object: *top.Object}
	for _, entry := range *top.Entry {
		var e struct{ Changes []json.RawMessage }
		if json.Unmarshal(entry, &e) != nil {
			env.Entry = append(env.Entry, wireEntry{bad: true})
			continue
		}
		var out wireEntry
		for _, change := range e.Changes {
			out.Changes = append(out.Changes, parseChange(change))
		}
		env.Entry = append(env.Entry, out)
	}
	return env, nil
}

func parseChange(raw json.RawMessage) wireChange {
	var c struct {
		Field string
		Value json.RawMessage
	}
	if json.Unmarshal(raw, &c) != nil {
		return wireChange{Field: c.Field, bad: true}
	}
	out := wireChange{Field: c.Field}
	if c.Field != "messages" {
		return out // the value is not looked at
	}
	var v struct {
		Metadata json.RawMessage
		Contacts json.RawMessage
		Messages json.RawMessage
		Statuses json.RawMessage
		Errors   json.RawMessage
		Echoes   json.RawMessage `json:"message_echoes"`
	}
	if json.Unmarshal(c.Value, &v) != nil {
		out.bad = true
		return out
	}
	// Without the business number the messages are not valid, and that is where it
	// is noticed; a contact that cannot be read only takes a name away.
	_ = unmarshalOptional(v.Metadata, &out.Value.Metadata)
	out.Value.Contacts = elements(v.Contacts, func(json.RawMessage, *wireContact) {})
	out.Value.Messages = elements(v.Messages, spoilMessage)
	out.Value.Statuses = elements(v.Statuses, func(_ json.RawMessage, s *wireStatus) { *s = wireStatus{bad: true} })
	out.Value.Errors = elements(v.Errors, func(_ json.RawMessage, e *wireError) { *e = wireError{bad: true} })
	out.Value.Echoes = elements(v.Echoes, func(json.RawMessage, *json.RawMessage) {})
	return out
}

// spoilMessage marks a message whose parts do not fit. One of a type that is not
// known keeps what every message has: its own parts may well be of another shape.
func spoilMessage(raw json.RawMessage, m *wireMessage) {
	var head struct {
		ID         string
		From       string
		FromUserID string `json:"from_user_id"`
		GroupID    string `json:"group_id"`
		Timestamp  flexInt
		Type       string
	}
	*m = wireMessage{bad: true}
	if json.Unmarshal(raw, &head) != nil {
		return
	}
	if _, known := contentOf(&wireContent{Type: head.Type}, ""); known {
		return
	}
	*m = wireMessage{
		ID: head.ID, From: head.From, FromUserID: head.FromUserID, GroupID: head.GroupID,
		Timestamp: head.Timestamp, wireContent: wireContent{Type: head.Type},
	}
}

// elements decodes an array one element at a time. spoil is called on an element
// that does not fit. Something that is no array counts as one such element.
func elements[T any](raw json.RawMessage, spoil func(json.RawMessage, *T)) []T {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	var pieces []json.RawMessage
	if json.Unmarshal(raw, &pieces) != nil {
		pieces = []json.RawMessage{raw}
	}
	out := make([]T, len(pieces))
	for i, piece := range pieces {
		if json.Unmarshal(piece, &out[i]) != nil {
			spoil(piece, &out[i])
		}
	}
	return out
}

func unmarshalOptional(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// checkDepth refuses nesting that no webhook has, before a parser recurses into it.
func checkDepth(raw []byte, limit int) error {
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if inString {
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
			continue
		}
		switch c {
		case '"':
			inString = true
		case '{', '[':
			if depth++; depth > limit {
				return ErrTooDeep
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}
