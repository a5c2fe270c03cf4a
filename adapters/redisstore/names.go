package redisstore

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/rueidis"
)

// lead is what a name leads to. A user id's link is the phone name that is known to
// lead to the same conversation with that user as its owner: a message with both
// then needs no look at the phone. A phone's link is its owner, the user name it was
// last seen with: another user on that number is a stranger.
type lead struct {
	raw  string // as stored; "" when there is nothing
	conv string
	link name
	// gone is true for a number that was given up: it leads nowhere, and conv is where
	// it led, for the answer to a late redelivery.
	gone bool
}

func parseLead(raw string) lead {
	l := lead{raw: raw}
	conv, link, _ := strings.Cut(raw, "|")
	l.conv, l.gone = strings.CutPrefix(conv, "-")
	l.link = name(link)
	return l
}

func leadText(conv string, link name) string { return conv + "|" + string(link) }

func (l lead) leads() bool { return l.conv != "" && !l.gone }

// follow reads what a name leads to.
func (s *Store) follow(ctx context.Context, op string, n name) (lead, error) {
	if n == "" {
		return lead{}, nil
	}
	msg, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed {
		return b.Get().Key(s.base(s.at(n)) + ":n:" + string(n)).Build()
	})
	if err != nil || msg.IsNil() {
		return lead{}, err
	}
	raw, err := msg.ToString()
	return parseLead(raw), err
}

// swap changes what a name leads to if it is still what was read.
func (s *Store) swap(ctx context.Context, op string, n name, from lead, to string) (bool, error) {
	msg, err := s.run(ctx, op, call{sc: scName, part: s.at(n), args: []string{string(n), from.raw, to}, durable: true})
	if err != nil {
		return false, err
	}
	done, err := msg.AsInt64()
	return done == 1, err
}

// nameTries bounds how often a name is read again because somebody else changed it.
const nameTries = 32

var errContended = errors.New("a name is changed by others all the time")

// kind tells user names from phone names, whose links mean different things.
type kind bool

const (
	ofUser  kind = false
	ofPhone kind = true
)

// point makes a name lead to a conversation. decide is given what the name is now
// and returns the link it shall have, or false to leave the name alone. A phone's
// former owner forgets that the number is linked, before and after the change: the
// second time for a message of theirs that came in between.
func (s *Store) point(ctx context.Context, k kind, n name, conv string, decide func(now lead) (name, bool)) error {
	if n == "" {
		return nil
	}
	for range nameTries {
		now, err := s.follow(ctx, "admit", n)
		if err != nil {
			return err
		}
		link, change := decide(now)
		to := leadText(conv, link)
		if !change || now.raw == to {
			return nil
		}
		if err := s.register(ctx, conv, "names", string(n)); err != nil {
			return err
		}
		if now.conv != "" && now.conv != conv {
			if err := s.register(ctx, conv, "kin", now.conv); err != nil {
				return err
			}
		}
		done, err := s.replace(ctx, k, n, now, to, link)
		if err != nil || done {
			return err
		}
	}
	return errContended
}

// replace swaps a name and undoes a phone's former owner's link to it.
func (s *Store) replace(ctx context.Context, k kind, n name, now lead, to string, link name) (bool, error) {
	former := now.link
	if k == ofUser || former == link {
		former = ""
	}
	if err := s.unlink(ctx, former, n); err != nil {
		return false, err
	}
	done, err := s.swap(ctx, "admit", n, now, to)
	if err != nil || !done {
		return false, err
	}
	return true, s.unlink(ctx, former, n)
}

// unlink makes a user forget that a phone is linked.
func (s *Store) unlink(ctx context.Context, user, phone name) error {
	if user == "" {
		return nil
	}
	for range nameTries {
		now, err := s.follow(ctx, "admit", user)
		if err != nil || now.link != phone {
			return err
		}
		done, err := s.swap(ctx, "admit", user, now, leadText(now.conv, ""))
		if err != nil || done {
			return err
		}
	}
	return errContended
}

// giveUp makes a phone number lead nowhere if it leads to the conversation.
func (s *Store) giveUp(ctx context.Context, n name, conv string) error {
	if n == "" {
		return nil
	}
	for range nameTries {
		now, err := s.follow(ctx, "admit", n)
		if err != nil || !now.leads() || now.conv != conv {
			return err
		}
		done, err := s.replace(ctx, ofPhone, n, now, leadText("-"+conv, ""), "")
		if err != nil || done {
			return err
		}
	}
	return errContended
}

// drop removes a name that leads to a conversation which was erased.
func (s *Store) drop(ctx context.Context, n name, conv string) error {
	if n == "" {
		return nil
	}
	for range nameTries {
		now, err := s.follow(ctx, "admit", n)
		if err != nil || now.conv != conv {
			return err
		}
		done, err := s.swap(ctx, "admit", n, now, "")
		if err != nil || done {
			return err
		}
	}
	return errContended
}
