package whatsapp

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient takes what Meta may well send one day; names must be written as Meta writes
// them.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func unmarshal(raw []byte, into any) error { return json.Unmarshal(raw, into, lenient) }

// parse turns the JSON text into the wire types. Well-formed webhooks take one pass.
// Only when some value has a type that does not fit is the text taken apart piece by
// piece, so that the piece that does not fit is all that is lost.
func parse(raw []byte) (wireEnvelope, error) {
	var top struct {
		Object *string      `json:"object"`
		Entry  *[]wireEntry `json:"entry"`
	}
	err := unmarshal(raw, &top)
	var wrongType *json.SemanticError
	switch {
	case err == nil:
		if top.Object == nil || top.Entry == nil {
			return wireEnvelope{}, ErrNotWebhook
		}
		return wireEnvelope{Object: *top.Object, Entry: *top.Entry}, nil
	case errors.As(err, &wrongType) && jsontext.Value(raw).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return parsePieces(raw)
	}
	return wireEnvelope{}, ErrNotJSON
}

func parsePieces(raw []byte) (wireEnvelope, error) {
	var top struct {
		Object *string           `json:"object"`
		Entry  *[]jsontext.Value `json:"entry"`
	}
	if unmarshal(raw, &top) != nil || top.Object == nil || top.Entry == nil {
		return wireEnvelope{}, ErrNotWebhook
	}
	env := wireEnvelope{Object: *top.Object}
	for _, entry := range *top.Entry {
		var e struct {
			Changes []jsontext.Value `json:"changes"`
		}
		if unmarshal(entry, &e) != nil {
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

func parseChange(raw jsontext.Value) wireChange {
	var c struct {
		Field string         `json:"field"`
		Value jsontext.Value `json:"value"`
	}
	if unmarshal(raw, &c) != nil {
		return wireChange{Field: c.Field, bad: true}
	}
	out := wireChange{Field: c.Field}
	if !readFields[c.Field] {
		return out // the value is not looked at
	}
	var v struct {
		Metadata jsontext.Value `json:"metadata"`
		Contacts jsontext.Value `json:"contacts"`
		Messages jsontext.Value `json:"messages"`
		Statuses jsontext.Value `json:"statuses"`
		Errors   jsontext.Value `json:"errors"`
		Echoes   jsontext.Value `json:"message_echoes"`
	}
	if unmarshal(c.Value, &v) != nil {
		out.bad = true
		return out
	}
	// Without the business number the messages are not valid, and that is where it
	// is noticed; a contact that cannot be read only takes a name away.
	_ = unmarshalOptional(v.Metadata, &out.Value.Metadata)
	out.Value.Contacts = elements(v.Contacts, func(jsontext.Value, *wireContact) {})
	out.Value.Messages = elements(v.Messages, spoilMessage)
	out.Value.Statuses = elements(v.Statuses, func(_ jsontext.Value, s *wireStatus) { *s = wireStatus{bad: true} })
	out.Value.Errors = elements(v.Errors, func(_ jsontext.Value, e *wireError) { *e = wireError{bad: true} })
	out.Value.Echoes = elements(v.Echoes, func(_ jsontext.Value, e *wireEcho) { *e = wireEcho{bad: true} })
	return out
}

// spoilMessage marks a message whose parts do not fit. One of a type that is not
// known keeps what every message has: its own parts may well be of another shape.
func spoilMessage(raw jsontext.Value, m *wireMessage) {
	var head struct {
		ID         string  `json:"id"`
		From       string  `json:"from"`
		FromUserID string  `json:"from_user_id"`
		GroupID    string  `json:"group_id"`
		Timestamp  flexInt `json:"timestamp"`
		Type       string  `json:"type"`
	}
	*m = wireMessage{bad: true}
	if unmarshal(raw, &head) != nil {
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
func elements[T any](raw jsontext.Value, spoil func(jsontext.Value, *T)) []T {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	var pieces []jsontext.Value
	if unmarshal(raw, &pieces) != nil {
		pieces = []jsontext.Value{raw}
	}
	out := make([]T, len(pieces))
	for i, piece := range pieces {
		if unmarshal(piece, &out[i]) != nil {
			spoil(piece, &out[i])
		}
	}
	return out
}

func unmarshalOptional(raw jsontext.Value, into any) error {
	if len(raw) == 0 {
		return nil
	}
	return unmarshal(raw, into)
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
