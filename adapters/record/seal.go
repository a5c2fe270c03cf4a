package record

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSealed says that a record is sealed and cannot be opened: its key is not among
// those given, its bytes were changed, or it stands in another place than the one it
// was sealed for.
var ErrSealed = errors.New("record is sealed and no key opens it here")

// Kind says what a sealed record holds. With the id of its place it is bound to the
// record: bytes that are moved to another place, or taken for another kind, do not
// open.
type Kind string

// The kinds.
const (
	// KindMessage is bound to the message's name as the store has it.
	KindMessage Kind = "message"
	// KindTurn is bound to the turn's id.
	KindTurn Kind = "turn"
	// KindFact is bound to the id of the turn it is about.
	KindFact Kind = "fact"
	// KindConversation is bound to the conversation's id.
	KindConversation Kind = "conversation"
	// KindNames is the key of the names, of which a store has one.
	KindNames Kind = "names"
)

// sealedMark begins a sealed record; a plain one begins with '{'. A change of the
// form gets another mark.
const sealedMark = 0x01

// Sealer seals records with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): nonces of
// 192 random bits may be drawn for ever without two being the same. The form is
//
//	mark (1 byte) | length of the key's id (1 byte) | id | nonce (24) | ciphertext and tag
//
// Everything in front of the ciphertext is authenticated with it. A nil Sealer has no
// key: it leaves records plain and opens plain ones only. Safe for concurrent use.
type Sealer struct {
	first string
	head  []byte // of what the first key seals
	aeads []cipher.AEAD
	byID  map[string]cipher.AEAD
}

// NewSealer makes a sealer; without keys it is nil. The first key seals, all open.
func NewSealer(keys []Key) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	s := &Sealer{first: keys[0].id, byID: map[string]cipher.AEAD{}}
	s.head = append([]byte{sealedMark, byte(len(s.first))}, s.first...) // #nosec G115 -- ids of keys and kinds are a few letters
	for _, k := range keys {
		aead, err := chacha20poly1305.NewX(k.secret[:])
		if err != nil {
			return nil, err
		}
		s.aeads = append(s.aeads, aead)
		s.byID[k.id] = aead
	}
	return s, nil
}

// KeyID names the key that seals; "" without one.
func (s *Sealer) KeyID() string {
	if s == nil {
		return ""
	}
	return s.first
}

// Overhead is how many bytes longer a sealed record is.
func (s *Sealer) Overhead() int {
	if s == nil {
		return 0
	}
	return len(s.head) + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
}

// IsSealed reports whether data is a sealed record.
func IsSealed(data []byte) bool { return len(data) > 0 && data[0] == sealedMark }

// Seal returns data sealed for a place, and data itself without a key.
func (s *Sealer) Seal(data []byte, kind Kind, id string) []byte {
	if s == nil {
		return data
	}
	out := make([]byte, len(s.head)+chacha20poly1305.NonceSizeX, s.Overhead()+len(data))
	copy(out, s.head)
	nonce := out[len(s.head):]
	_, _ = rand.Read(nonce) // it cannot fail
	return s.byID[s.first].Seal(out, nonce, data, place(s.head, kind, id))
}

// Open returns what was sealed for the place, or ErrSealed. A plain record is returned
// as it is: it was written before there was a key.
func (s *Sealer) Open(data []byte, kind Kind, id string) ([]byte, error) {
	if !IsSealed(data) {
		return data, nil
	}
	if s == nil || len(data) < 2 {
		return nil, ErrSealed
	}
	n := 2 + int(data[1])
	if len(data) < n+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, ErrSealed
	}
	head, nonce, text := data[:n], data[n:n+chacha20poly1305.NonceSizeX], data[n+chacha20poly1305.NonceSizeX:]
	bound := place(head, kind, id)
	if aead, ok := s.byID[string(head[2:])]; ok {
		if plain, err := aead.Open(nil, nonce, text, bound); err == nil {
			return plain, nil
		}
	}
	// The operator may have given the same key another id.
	for _, aead := range s.aeads {
		if plain, err := aead.Open(nil, nonce, text, bound); err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed
}

// Reseal returns the record sealed with the first key, and false when it is already.
func (s *Sealer) Reseal(data []byte, kind Kind, id string) ([]byte, bool, error) {
	if s == nil || (len(data) >= len(s.head) && slices.Equal(data[:len(s.head)], s.head)) {
		return data, false, nil
	}
	plain, err := s.Open(data, kind, id)
	if err != nil {
		return nil, false, err
	}
	return s.Seal(plain, kind, id), true, nil
}

// place is the associated data. The lengths keep two places from reading the same.
func place(head []byte, kind Kind, id string) []byte {
	out := make([]byte, 0, len(head)+1+len(kind)+8+len(id))
	out = append(out, head...)
	out = append(out, byte(len(kind))) // #nosec G115 -- ids of keys and kinds are a few letters
	out = append(out, kind...)
	out = binary.BigEndian.AppendUint64(out, uint64(len(id)))
	return append(out, id...)
}
