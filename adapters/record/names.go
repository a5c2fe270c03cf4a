package record

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
)

// nameSize is how much of a hash is kept: 128 bits cannot collide by chance.
const nameSize = 16

// Names turns what leads to a person (phone numbers, user ids, and message ids, in
// which Meta writes the phone number) into what a store has as a key. A keyed hash can
// be looked up and compared, and tells nothing to who has not the key; phone numbers
// are few enough to try them all against a hash without one.
//
// The key is random, is made once for a store, and is kept in the store, sealed. So
// the keys that seal can be rotated while the names stay what they are. A nil Names
// has no key. Safe for concurrent use.
type Names struct{ key []byte }

// NewNames makes the names of a new store and what the store keeps of them.
func (s *Sealer) NewNames() (*Names, []byte) {
	n := &Names{key: make([]byte, sha256.Size)}
	_, _ = rand.Read(n.key) // it cannot fail
	return n, s.Seal(n.key, KindNames, "")
}

// OpenNames reads what NewNames made. That no key opens it means that none opens the
// rest of the store.
func (s *Sealer) OpenNames(kept []byte) (*Names, error) {
	if s == nil || !IsSealed(kept) {
		return nil, ErrSealed
	}
	key, err := s.Open(kept, KindNames, "")
	if err != nil || len(key) != sha256.Size {
		return nil, ErrSealed
	}
	return &Names{key: key}, nil
}

// Keyed reports whether there is a key.
func (n *Names) Keyed() bool { return n != nil }

// Of names values of a kind in 22 letters, digits, '-' and '_'. Without a key it is a
// plain hash.
func (n *Names) Of(kind string, values ...string) string {
	var h hash.Hash
	if n == nil {
		h = sha256.New()
	} else {
		h = hmac.New(sha256.New, n.key)
	}
	h.Write([]byte(kind))
	for _, v := range values {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(v))) // #nosec G115 -- what identifies a person is far below 4 GB
		h.Write(size[:])
		h.Write([]byte(v))
	}
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:nameSize])
}
