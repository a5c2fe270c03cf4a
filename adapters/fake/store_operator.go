package fake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// letter is a dead letter: what its turn failed to answer.
type letter struct {
	messages []waiting
	at       time.Time
}

// bury keeps a dead turn as a dead letter, once: it is finished again when a late
// failure came for it, and has no messages in the inbox any more then.
func (t *storedTurn) bury(inputs []waiting, at time.Time) {
	if t.buried {
		return
	}
	t.buried, t.letter = true, &letter{messages: inputs, at: at}
}

// DeadLetters implements ports.DeadLetterPort.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]ports.DeadLetter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "dead letters"); err != nil {
		return nil, err
	}
	var out []ports.DeadLetter
	for _, c := range s.order {
		for _, t := range c.turns {
			if t.letter == nil {
				continue
			}
			d := ports.DeadLetter{Turn: copyTurn(t.turn), At: t.letter.at}
			for _, w := range t.letter.messages {
				d.Messages = append(d.Messages, w.message)
			}
			out = append(out, d)
		}
	}
	slices.Reverse(out) // of letters of one moment the later turn comes first
	slices.SortStableFunc(out, func(a, b ports.DeadLetter) int { return b.At.Compare(a.At) })
	return out[:max(0, min(limit, len(out)))], nil
}

// Replay implements ports.DeadLetterPort. The messages take their old places, in
// front of what came later. A lease or a deferred turn decides by itself when the
// conversation is due, as for a new message.
func (s *Store) Replay(ctx context.Context, turn domain.TurnID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.dead(ctx, "replay", turn)
	if err != nil {
		return err
	}
	c, now := s.convs[t.turn.Conversation()], time.Now()
	for _, w := range t.letter.messages {
		w.due = now
		c.inbox = append(c.inbox, w)
	}
	slices.SortFunc(c.inbox, func(a, b waiting) int { return int(a.n - b.n) })
	if len(t.letter.messages) > 0 && c.leaseUntil.IsZero() && !c.deferred {
		c.dueAt(now)
	}
	t.letter = nil
	s.grant()
	return nil
}

// Discard implements ports.DeadLetterPort. The turn itself stays in the history of
// the conversation.
func (s *Store) Discard(ctx context.Context, turn domain.TurnID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.dead(ctx, "discard", turn)
	if err != nil {
		return err
	}
	t.letter = nil
	return nil
}

func (s *Store) dead(ctx context.Context, op string, turn domain.TurnID) (*storedTurn, error) {
	if err := s.usable(ctx, op); err != nil {
		return nil, err
	}
	t := s.turns[turn]
	if t == nil || t.letter == nil {
		return nil, storeError(op, ports.KindNotFound, errors.New("there is no such dead letter"))
	}
	return t, nil
}

// Find implements ports.ErasurePort.
func (s *Store) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.identified(ctx, "find", who); err != nil {
		return nil, err
	}
	found := s.led(who)
	var out []domain.ConversationID
	for _, c := range s.order {
		if found[c] {
			out = append(out, c.id)
		}
	}
	return out, nil
}

func (s *Store) identified(ctx context.Context, op string, who domain.Contact) error {
	if err := s.usable(ctx, op); err != nil {
		return err
	}
	if err := who.Validate(); err != nil {
		return storeError(op, ports.KindInvalid, err)
	}
	return nil
}

// led returns the conversations that a name leads to, at any business number.
func (s *Store) led(who domain.Contact) map[*conversation]bool {
	found := map[*conversation]bool{}
	for a, t := range s.aliases {
		if a.user != "" && a.user == who.UserID || a.phone != "" && a.phone == who.Phone {
			found[t.conv] = true
		}
	}
	return found
}

// Erase implements ports.ErasurePort.
func (s *Store) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone ports.Erased
	if err := s.identified(ctx, "erase", who); err != nil {
		return gone, err
	}
	found := s.led(who)
	names := s.namesOf(found, who)
	s.addOrphans(found, names)
	for c := range found {
		gone.Conversations++
		gone.Messages += len(c.inbox)
		for _, t := range c.turns {
			gone.Turns++
			if t.letter != nil {
				gone.DeadLetters++
				gone.Messages += len(t.letter.messages)
			}
			delete(s.turns, t.turn.ID())
		}
		delete(s.convs, c.id)
	}
	s.order = slices.DeleteFunc(s.order, func(c *conversation) bool { return found[c] })
	maps.DeleteFunc(s.sends, func(_ domain.MessageID, p sentPart) bool { return s.turns[p.turn] == nil })
	gone.MessageIDs, gone.Names = len(s.ids), len(s.aliases)
	maps.DeleteFunc(s.ids, func(_ domain.MessageID, k knownID) bool { return s.convs[k.conv] == nil })
	maps.DeleteFunc(s.aliases, func(_ alias, t target) bool { return found[t.conv] || names.user[t.user] })
	gone.MessageIDs -= len(s.ids)
	gone.Names -= len(s.aliases)
	return gone, nil
}

// nameSet holds ways to know one person.
type nameSet struct {
	user  map[domain.UserID]bool
	phone map[domain.Phone]bool
}

func (n nameSet) has(c domain.Contact) bool { return n.user[c.UserID] || n.phone[c.Phone] }

// namesOf returns who's names and all others that lead to the conversations.
func (s *Store) namesOf(found map[*conversation]bool, who domain.Contact) nameSet {
	n := nameSet{user: map[domain.UserID]bool{who.UserID: true}, phone: map[domain.Phone]bool{who.Phone: true}}
	for a, t := range s.aliases {
		if found[t.conv] {
			n.user[a.user], n.phone[a.phone] = true, true
		}
	}
	delete(n.user, "")
	delete(n.phone, "")
	return n
}

// addOrphans adds the conversations that no name leads to any more, because theirs
// went over to one that is found: a message that overtook the news of a changed
// number, for instance, began a conversation of its own.
func (s *Store) addOrphans(found map[*conversation]bool, names nameSet) {
	orphan := map[*conversation]bool{}
	for _, c := range s.order {
		orphan[c] = names.has(c.contact)
	}
	for _, t := range s.aliases {
		delete(orphan, t.conv)
	}
	for c, mine := range orphan {
		if mine {
			found[c] = true
		}
	}
}

// Take implements ports.PacerPort. A bucket is known by when it will be full: it
// lacks one token for each Every until then.
func (s *Store) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.bucket(ctx, "take", b); err != nil {
		return 0, err
	}
	now := time.Now()
	full := s.buckets[b.Key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(b.Every)
	if wait := full.Sub(now) - time.Duration(b.Capacity)*b.Every; wait > 0 {
		return wait, nil
	}
	s.buckets[b.Key] = full
	return 0, nil
}

// Hold implements ports.PacerPort. When d has passed there is one token.
func (s *Store) Hold(ctx context.Context, b ports.Bucket, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.bucket(ctx, "hold", b); err != nil || d <= 0 {
		return err
	}
	if full := time.Now().Add(d + time.Duration(b.Capacity-1)*b.Every); full.After(s.buckets[b.Key]) {
		s.buckets[b.Key] = full
	}
	return nil
}

func (s *Store) bucket(ctx context.Context, op string, b ports.Bucket) error {
	if err := s.usable(ctx, op); err != nil {
		return err
	}
	if b.Key == "" || b.Capacity < 1 || b.Every <= 0 {
		return storeError(op, ports.KindInvalid, errors.New("a bucket needs a key, a capacity and a rate"))
	}
	maps.DeleteFunc(s.buckets, func(_ string, full time.Time) bool { return !full.After(time.Now()) })
	return nil
}

// Dump writes every text and number the store holds, for tests that look for
// traces. It finds them by reflection, so that no field is forgotten.
func (s *Store) Dump() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	dump(&out, reflect.ValueOf(s).Elem(), map[any]bool{})
	return out.String()
}

func dump(out *strings.Builder, v reflect.Value, seen map[any]bool) {
	if v.IsValid() && (v.Type().PkgPath() == "time" || v.Type().PkgPath() == "sync") {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Pointer()] {
			seen[v.Pointer()] = true
			dump(out, v.Elem(), seen)
		}
	case reflect.Interface:
		dump(out, v.Elem(), seen)
	case reflect.Struct:
		for i := range v.NumField() {
			dump(out, v.Field(i), seen)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(out, v.Index(i), seen)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			dump(out, key, seen)
			dump(out, v.MapIndex(key), seen)
		}
	case reflect.String:
		fmt.Fprintln(out, v.String())
	case reflect.Int, reflect.Int64:
		fmt.Fprintln(out, v.Int())
	}
}
