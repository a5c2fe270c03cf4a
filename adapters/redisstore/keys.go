package redisstore

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"whatsappnode/domain"
)

// Personal or long values are named in keys by hashes, see record.Names: 22 letters,
// digits, '-' and '_'.

func (s *Store) messageHash(id domain.MessageID) string { return s.names.Of("id", string(id)) }
func (s *Store) wamidHash(id domain.MessageID) string   { return s.names.Of("send", string(id)) }
func (s *Store) tombstone(conv string) string           { return s.names.Of("gone", conv) }

// name is the hash of one way to know a person at one business number; "" is none.
type name string

func (s *Store) userName(number domain.NumberID, user domain.UserID) name {
	if user == "" {
		return ""
	}
	return name(s.names.Of("user", string(number), string(user)))
}

func (s *Store) phoneName(number domain.NumberID, phone domain.Phone) name {
	if phone == "" {
		return ""
	}
	return name(s.names.Of("phone", string(number), string(phone)))
}

// partition gives the partition in which something named by a hash lives.
func (s *Store) partition(hash string) int {
	raw, err := base64.RawURLEncoding.DecodeString(hash)
	if err != nil || len(raw) < 8 {
		return 0 // hashes are ours; a foreign one finds nothing there
	}
	return int(binary.BigEndian.Uint64(raw) % uint64(s.opt.Partitions)) // #nosec G115 -- below the number of partitions
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
