package sqlitestore

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Admit implements ports.DedupPort.
func (s *Store) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	items := make([]item, len(batch))
	for i := range batch {
		var err error
		if items[i], err = s.item(&batch[i]); err != nil {
			return nil, invalid("admit", err)
		}
	}
	if len(batch) == 0 {
		return []ports.Admission{}, ports.FromContext(ctx, "sqlitestore: admit")
	}
	out := make([]ports.Admission, len(batch))
	j := &job{ctx: ctx, weight: len(batch), done: make(chan error, 1)}
	j.run = func(w *writer) error {
		for i := range batch {
			var err error
			if out[i], err = w.admit(&items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	// By the writer, so that a caller whose time is up leaves nobody uninformed.
	j.kept = func() {
		for _, a := range out {
			if a.New {
				s.news.Tell(a.Conversation)
			}
		}
	}
	if err := s.submit("admit", j); err != nil {
		return nil, err
	}
	return out, nil
}

func (w *writer) admit(it *item) (ports.Admission, error) {
	a := ports.Admission{Message: it.message.ID}
	from, err := w.lookup(it.user)
	if err != nil {
		return a, err
	}
	noted := int64(0)
	if from.n != 0 { // one statement notes it and finds out that it is new, as is usual
		if noted, err = w.exec(stNoteID, it.id, from.n, w.now); err != nil {
			return a, err
		}
	}
	if noted == 0 {
		known, err := w.row(stKnownID, []any{it.id, w.now - int64(ports.DedupTTL)}, &a.Conversation)
		if err != nil || known {
			return a, err
		}
	}
	c, err := w.resolve(it)
	if err != nil {
		return a, err
	}
	a.Conversation, a.New = c.id, true
	if noted == 0 {
		if _, err := w.exec(stAddID, it.id, c.n, w.now); err != nil {
			return a, err
		}
	}
	due, ahead := w.now+int64(it.message.Hold), int64(ports.HeadStart)
	if it.message.Hold > 0 {
		ahead = 0
	}
	if _, err := w.exec(stAddMessage, c.n, it.id, w.now, due, it.data, ahead); err != nil {
		return a, err
	}
	if _, err = w.exec(stDueMessage, c.n, due, ahead); err == nil && it.message.Pause > 0 {
		err = w.pauseAtLeast(c, it.message.Pause)
	}
	return a, err
}

// alias is one way to know a person at one business number.
type alias struct {
	number domain.NumberID
	kind   aliasKind
	value  string
}

type aliasKind int8

const (
	byUser aliasKind = iota
	byPhone
	// byHeir is no way to know a person. Its value is the id of a conversation that
	// no name leads to any more, and it leads to the one that took over the last.
	byHeir
)

// conversationKey is a conversation's row and its public id.
type conversationKey struct {
	n  int64
	id domain.ConversationID
}

// target is where an alias leads. owner is the user id a phone number was last seen
// with, if any: another user id on that number is a stranger.
type target struct {
	conversationKey
	owner string
}

// resolve finds the conversation of a new message, or opens one, and links every
// name the message gives the person to it. A user id decides over a phone number:
// numbers are handed on to other people, user ids are not. For the same reason a
// changed number no longer leads here, while a former user id still does: it can
// only belong to a message that was delayed.
func (w *writer) resolve(it *item) (conversationKey, error) {
	user, phone := it.user, it.phone
	known, err := w.lookup(user)
	if err != nil {
		return known.conversationKey, err
	}
	if known.n == 0 {
		byNumber, err := w.lookup(phone)
		if err != nil {
			return byNumber.conversationKey, err
		}
		if byNumber.owner == "" || user.value == "" || byNumber.owner == user.value {
			known = byNumber
		}
	}
	c := known.conversationKey
	if c.n == 0 {
		if c, err = w.begin(it); err != nil {
			return c, err
		}
	}
	owner := user.value
	if it.newPhone.value != "" && it.newPhone != phone {
		if err := w.unlink(phone, c); err != nil {
			return c, err
		}
		phone, owner = it.newPhone, it.newUser.value
	}
	if err := w.link(phone, c, owner); err != nil {
		return c, err
	}
	for _, a := range []alias{user, it.newUser} {
		if err := w.link(a, c, ""); err != nil {
			return c, err
		}
	}
	return c, nil
}

// begin opens a conversation. What is known of the person is kept until the first
// turn is finished and the conversation proper takes its place.
func (w *writer) begin(it *item) (conversationKey, error) {
	c := conversationKey{id: domain.ConversationID(rand.Text())}
	conv, err := domain.NewConversation(c.id, it.message.Number, it.message.From)
	if err != nil {
		return c, err
	}
	first, err := w.sealer.EncodeConversation(conv)
	if err != nil {
		return c, err
	}
	c.n, err = w.insert(stAddConversation, string(c.id), first)
	return c, err
}

func (w *writer) lookup(a alias) (target, error) {
	if a.value == "" {
		return target{}, nil
	}
	if c, ok := w.known.get(a); ok {
		return c, nil
	}
	var c target
	if _, err := w.row(stFindAlias, []any{string(a.number), int(a.kind), a.value}, &c.n, &c.id, &c.owner); err != nil {
		return c, fmt.Errorf("look up alias: %w", err)
	}
	w.known.put(a, c) // or that there is none: it will be asked for again, to be linked
	return c, nil
}

// link makes an alias lead to c. An alias of c keeps its owner unless a new one is
// given.
func (w *writer) link(a alias, c conversationKey, owner string) error {
	if a.value == "" {
		return nil
	}
	now, err := w.lookup(a)
	if err != nil || (now.n == c.n && (owner == "" || owner == now.owner)) {
		return err
	}
	if _, err := w.exec(stSetAlias, string(a.number), int(a.kind), a.value, c.n, owner); err != nil {
		return fmt.Errorf("link alias: %w", err)
	}
	if now.n != 0 && now.n != c.n {
		if err := w.inherit(a.number, now.conversationKey, c); err != nil {
			return fmt.Errorf("link alias: %w", err)
		}
	}
	w.known.put(a, target{conversationKey: c, owner: owner})
	return nil
}

// inherit notes that the last name of a conversation went over to another, so that
// erasing the person finds both.
func (w *writer) inherit(number domain.NumberID, from, to conversationKey) error {
	var orphaned bool
	if _, err := w.row(stOrphaned, []any{from.n}, &orphaned); err != nil || !orphaned {
		return err
	}
	_, err := w.exec(stAddHeir, string(number), int(byHeir), string(from.id), to.n)
	return err
}

func (w *writer) unlink(a alias, c conversationKey) error {
	if a.value == "" {
		return nil
	}
	w.known.forget(a)
	if _, err := w.exec(stDropAlias, string(a.number), int(a.kind), a.value, c.n); err != nil {
		return fmt.Errorf("unlink alias: %w", err)
	}
	return nil
}

// aliasCache remembers aliases that were looked up. Only the writer changes them,
// so it cannot go stale, except when a transaction is taken back: it is cleared
// then.
type aliasCache struct{ m map[alias]target }

// maxAliases bounds the cache, at about 200 bytes each.
const maxAliases = 1 << 15

func (c *aliasCache) clear() { c.m = map[alias]target{} }

func (c *aliasCache) get(a alias) (target, bool) {
	k, ok := c.m[a]
	return k, ok
}

func (c *aliasCache) put(a alias, k target) {
	if len(c.m) >= maxAliases {
		c.clear() // rare; the next look-ups fill it again
	}
	c.m[a] = k
}

func (c *aliasCache) forget(a alias) { delete(c.m, a) }

func unix(ns int64) time.Time { return time.Unix(0, ns) }
