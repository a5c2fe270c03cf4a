package redisstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"whatsappnode/domain"
)

// hashSize is how much of a SHA-256 is kept: 128 bits cannot collide by chance.
const hashSize = 16

// hashOf names personal or long values in keys: 22 letters, digits, '-' and '_'.
func hashOf(kind string, values ...string) string {
	h := sha256.New()
	h.Write([]byte(kind))
	for _, v := range values {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(v)))
		h.Write(size[:])
		h.Write([]byte(v))
	}
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:hashSize])
}

func messageHash(id domain.MessageID) string { return hashOf("id", string(id)) }
func wamidHash(id domain.MessageID) string   { return hashOf("send", string(id)) }
func tombstone(conv string) string           { return hashOf("gone", conv) }

// name is the hash of one way to know a person at one business number; "" is none.
type name string

func userName(number domain.NumberID, user domain.UserID) name {
	if user == "" {
		return ""
	}
	return name(hashOf("user", string(number), string(user)))
}

func phoneName(number domain.NumberID, phone domain.Phone) name {
	if phone == "" {
		return ""
	}
	return name(hashOf("phone", string(number), string(phone)))
}

// partition gives the partition in which something named by a hash lives.
func (s *Store) partition(hash string) int {
	raw, err := base64.RawURLEncoding.DecodeString(hash)
	if err != nil || len(raw) < 8 {
		return 0 // hashes are ours; a foreign one finds nothing there
	}
	return int(binary.BigEndian.Uint64(raw) % uint64(s.opt.Partitions))
}

func (s *Store) at(n name) int { return s.partition(string(n)) }

// base is the hash tag with which every key of a partition begins.
func (s *Store) base(part int) string { return s.bases[part] }

// meta is a key outside of the partitions.
func (s *Store) meta(what string) string { return "{" + s.opt.Prefix + ":meta}:" + what }

// newConversation makes an id that carries its partition and tells nothing else.
func newConversation(part int) string { return rand.Text() + "-" + strconv.Itoa(part) }

// home reads the partition out of a conversation's id; false for an id that is not
// one of this store.
func (s *Store) home(conv string) (int, bool) {
	i := strings.LastIndexByte(conv, '-')
	if i < 0 {
		return 0, false
	}
	part, err := strconv.Atoi(conv[i+1:])
	return part, err == nil && part >= 0 && part < s.opt.Partitions && strconv.Itoa(part) == conv[i+1:]
}
