package telemetry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Refs turns ids into keyed hashes, so that logs can be followed without showing
// whom they are about. A plain hash would not do: all phone numbers can be tried.
// With the key an operator finds the lines of a known id. It may be used
// concurrently.
type Refs struct{ key []byte }

// minKey is the shortest key in bytes that cannot be tried out.
const minKey = 16

// NewRefs takes the key, at least 16 bytes of random data that stays the same for
// as long as logs are to be compared.
func NewRefs(key []byte) (*Refs, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("log reference key has %d bytes, less than %d", len(key), minKey)
	}
	return &Refs{key: slices.Clone(key)}, nil
}

// Ref is the reference of an id: the first 64 bits of HMAC-SHA256 over kind and id
// as 16 hex digits, or empty for an empty id. The kind keeps the same text as a
// user and as a message apart.
func (r *Refs) Ref(kind, id string) string {
	if id == "" {
		return ""
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Message is the msg_ref of a wamid.
func (r *Refs) Message(id domain.MessageID) zap.Field { return r.field("msg", string(id)) }

// Reply is the reply_ref of a message that the bot sent: the hash that msg_ref would
// show of the same wamid.
func (r *Refs) Reply(id domain.MessageID) zap.Field {
	return zap.String("reply_ref", r.Ref("msg", string(id)))
}

// Conversation is the conv_ref of a conversation.
func (r *Refs) Conversation(id domain.ConversationID) zap.Field { return r.field("conv", string(id)) }

// Turn is the turn_ref of a turn.
func (r *Refs) Turn(id domain.TurnID) zap.Field { return r.field("turn", string(id)) }

// User is the user_ref of a person: of the user id where there is one, else of the
// phone number. The two give different references.
func (r *Refs) User(c domain.Contact) zap.Field {
	if c.UserID != "" {
		return r.field("user", string(c.UserID))
	}
	return r.field("user", string(c.Phone))
}

// Append adds the references of a turn to a line's fields; what is not known is left
// out.
func (r *Refs) Append(fields []zap.Field, s ports.Subject) []zap.Field {
	fields = append(fields, r.Turn(s.Turn), r.Conversation(s.Conversation), r.User(s.User))
	switch len(s.Messages) {
	case 0:
		return fields
	case 1:
		return append(fields, r.Message(s.Messages[0]))
	}
	return append(fields, zap.Array("msg_refs", messageRefs{r, s.Messages}))
}

// maxRefs bounds the references of one line; a batch can hold a thousand messages.
const maxRefs = 20

type messageRefs struct {
	refs *Refs
	ids  []domain.MessageID
}

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (m messageRefs) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, id := range m.ids[:min(len(m.ids), maxRefs)] {
		enc.AppendString(m.refs.Ref("msg", string(id)))
	}
	return nil
}

func (r *Refs) field(kind, id string) zap.Field {
	if id == "" {
		return zap.Skip()
	}
	return zap.String(kind+"_ref", r.Ref(kind, id))
}
