package record

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// keySize is the size of a key in bytes: 256 bits.
const keySize = 32

// MaxKeys bounds how many keys open records: the one that seals, and those that
// records from before a rotation still need.
const MaxKeys = 8

// Key seals and opens records. Its id stands in every record it seals, so that the
// record tells which key opens it. No formatting shows the secret.
type Key struct {
	id     string
	secret [keySize]byte
}

// ID names the key. It tells nothing about the secret.
func (k Key) ID() string { return k.id }

// Format implements fmt.Formatter for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "key "+k.id) }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte("key " + k.id), nil }

var keyID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)

// The reasons for which a list of keys is not understood.
var (
	errKeyForm = errors.New("must be 32 random bytes in base64, as from: openssl rand -base64 32")
	errKeyID   = errors.New("must name each key as id:base64, the id of at most 32 letters, digits, '_', '.' and '-'")
)

// NewKey reads a key in base64. Without an id it gets one that is derived from the
// secret by a hash.
func NewKey(id, text string) (Key, error) {
	k := Key{id: id}
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(text)
	}
	if err != nil || len(raw) != keySize {
		return Key{}, errKeyForm // the cause may quote a part of the key
	}
	copy(k.secret[:], raw)
	if k.id == "" {
		sum := sha256.Sum256(append([]byte("whatsapp-node key id\x00"), raw...))
		k.id = hex.EncodeToString(sum[:4])
	}
	if !keyID.MatchString(k.id) {
		return Key{}, errKeyID
	}
	return k, nil
}

// ParseKeys reads "id:base64,id2:base64": the first key seals, all of them open. Empty
// text is no key.
func ParseKeys(text string) ([]Key, error) {
	var keys []Key
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		id, secret, named := strings.Cut(item, ":")
		if !named || id == "" {
			return nil, errKeyID
		}
		k, err := NewKey(id, secret)
		if err != nil {
			return nil, err
		}
		if seen[id] {
			return nil, errors.New("gives two keys the same id")
		}
		seen[id] = true
		keys = append(keys, k)
	}
	if len(keys) > MaxKeys {
		return nil, fmt.Errorf("holds %d keys, and at most %d are accepted", len(keys), MaxKeys)
	}
	return keys, nil
}
