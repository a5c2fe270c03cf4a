package redisstore

import (
	"context"
	"errors"

	"github.com/redis/rueidis"
)

// resolveTries bounds how often a message starts anew because its conversation was
// erased while it was on its way.
const resolveTries = 8

// resolve admits one message the long way: choose the conversation, tie the id to
// it, link the names, store the message. Each step may be repeated. See the package
// comment for why this order loses and doubles nothing.
func (s *Store) resolve(ctx context.Context, it *item) error {
	if err := s.remember(ctx, "admit", it.message.Number); err != nil {
		return err
	}
	home, erased := s.at(it.route), ""
	for range resolveTries {
		known, conv, err := s.pin(ctx, home, string(it.route), it, "", erased)
		if err == nil && !known && conv == "" {
			if conv, err = s.choose(ctx, it); err == nil {
				known, conv, err = s.pin(ctx, home, string(it.route), it, conv, erased)
			}
		}
		if err != nil {
			return err
		}
		if known {
			return s.settleKnown(ctx, it)
		}
		part, err := s.partOf(conv)
		if err != nil {
			return err
		}
		if part != home { // a duplicate must move no name
			if known, _, err = s.pin(ctx, part, conv, it, "", ""); err != nil {
				return err
			}
			if known {
				it.settle(conv, false)
				return nil
			}
		}
		if err := s.link(ctx, it, conv); err != nil {
			return err
		}
		codes, err := s.admitCall(ctx, part, append(ttlArgs(), s.toConversation(it, conv, part == home)...), 1)
		if err != nil {
			return err
		}
		if codes[0] != "e" {
			it.settle(conv, codes[0] == "n")
			return nil
		}
		if err := s.retreat(ctx, it, conv); err != nil {
			return err
		}
		erased = conv
	}
	return errors.New("the conversation is erased again and again")
}

// settleKnown answers for a duplicate with where its name leads now.
func (s *Store) settleKnown(ctx context.Context, it *item) error {
	now, err := s.follow(ctx, "admit", it.route)
	it.settle(now.conv, false)
	return err
}

// choose finds the conversation of a message, or begins one. A user id decides over
// a phone number: numbers are handed on to other people, user ids are not. Somebody
// new takes the phone first: whoever comes with the phone alone then agrees.
func (s *Store) choose(ctx context.Context, it *item) (string, error) {
	if it.user == "" {
		return s.claimName(ctx, ofPhone, it.phone, "", newConversation(s.at(it.phone)))
	}
	now, err := s.follow(ctx, "admit", it.user)
	if err != nil || now.leads() {
		return now.conv, err
	}
	conv := newConversation(s.at(it.user))
	if it.phone != "" {
		if conv, err = s.claimName(ctx, ofPhone, it.phone, it.user, conv); err != nil {
			return "", err
		}
	}
	return s.claimName(ctx, ofUser, it.user, it.phone, conv)
}

// claimName makes a name lead to conv, with a link, unless it leads somewhere
// already, and returns where it leads. A phone number that was seen with another user
// than link does not count as leading anywhere.
func (s *Store) claimName(ctx context.Context, k kind, n, link name, conv string) (string, error) {
	result := conv
	err := s.point(ctx, k, n, conv, func(now lead) (name, bool) {
		stranger := k == ofPhone && link != "" && now.link != "" && now.link != link
		if now.leads() && !stranger {
			result = now.conv
			return "", false
		}
		result = conv
		return link, true
	})
	return result, err
}

// link makes every name the message gives lead to its conversation. A changed number
// no longer leads there, while a former user id still does: it can only belong to a
// message that was delayed.
func (s *Store) link(ctx context.Context, it *item, conv string) error {
	number, from := it.message.Number, it.message.From
	linked := it.phone // what the user's link shall be; links are made from the phone to the user
	if it.change.NewPhone != "" && it.change.NewPhone != from.Phone {
		linked = "" // giving the number up undoes the user's link to it
		if err := s.giveUp(ctx, it.phone, conv); err != nil {
			return err
		}
		owner := s.userName(number, it.change.NewUser)
		if err := s.point(ctx, ofPhone, s.phoneName(number, it.change.NewPhone), conv, func(lead) (name, bool) { return owner, true }); err != nil {
			return err
		}
	} else {
		err := s.point(ctx, ofPhone, it.phone, conv, func(now lead) (name, bool) {
			if it.user == "" && now.leads() && now.conv == conv {
				return now.link, true
			}
			return it.user, true
		})
		if err != nil {
			return err
		}
	}
	if err := s.pointUser(ctx, it.user, conv, linked); err != nil {
		return err
	}
	return s.pointUser(ctx, s.userName(number, it.change.NewUser), conv, "")
}

// pointUser makes a user id lead to a conversation. Without a phone it keeps the link
// it has, unless the conversation changes.
func (s *Store) pointUser(ctx context.Context, user name, conv string, phone name) error {
	return s.point(ctx, ofUser, user, conv, func(now lead) (name, bool) {
		if phone == "" && now.conv == conv {
			return now.link, true
		}
		return phone, true
	})
}

// retreat takes back what was linked to a conversation that turned out erased.
func (s *Store) retreat(ctx context.Context, it *item, conv string) error {
	number := it.message.Number
	for _, n := range []name{it.user, it.phone, s.userName(number, it.change.NewUser), s.phoneName(number, it.change.NewPhone)} {
		if err := s.drop(ctx, n, conv); err != nil {
			return err
		}
	}
	part, err := s.partOf(conv)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, "admit", true, func(b rueidis.Builder) rueidis.Completed {
		key := s.base(part) + ":c:" + conv
		return b.Del().Key(key+":names", key+":kin").Build()
	})
	return err
}
