package redisstore

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Admit implements ports.DedupPort. Each partition's part of the batch is admitted
// whole or not at all; an error may leave other parts admitted, which the repeat then
// finds to be duplicates.
func (s *Store) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out := make([]ports.Admission, len(batch))
	items := make([]*item, len(batch))
	for i := range batch {
		var err error
		if items[i], err = s.newItem(&batch[i], &out[i]); err != nil {
			return nil, invalid("admit", err)
		}
	}
	if err := ports.FromContext(ctx, opName("admit")); err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return out, nil
	}
	if err := s.admit(ctx, items); err != nil {
		return nil, storeErr(ctx, "admit", err)
	}
	return out, nil
}

func (s *Store) admit(ctx context.Context, items []*item) error {
	if !independent(items) {
		for _, run := range runs(items) {
			if err := s.admitInOrder(ctx, run); err != nil {
				return err
			}
		}
		return nil
	}
	return each(ctx, groupBy(items, func(it *item) int { return s.at(it.route) }), func(ctx context.Context, part int, items []*item) error {
		left, err := s.admitByName(ctx, part, items)
		if err != nil || len(left) == 0 {
			return err
		}
		return each(ctx, groupBy(left, func(it *item) name { return it.route }), func(ctx context.Context, _ name, items []*item) error {
			return s.admitUnlinked(ctx, items)
		})
	})
}

// admitInOrder admits messages of one routing name.
func (s *Store) admitInOrder(ctx context.Context, items []*item) error {
	left, err := s.admitByName(ctx, s.at(items[0].route), items)
	if err != nil {
		return err
	}
	return s.admitUnlinked(ctx, left)
}

// admitUnlinked admits messages of one routing name that leads nowhere yet. The
// first one mends that, and the rest find their way.
func (s *Store) admitUnlinked(ctx context.Context, items []*item) error {
	for len(items) > 0 {
		if err := s.resolve(ctx, items[0]); err != nil {
			return err
		}
		if len(items) == 1 {
			return nil
		}
		var err error
		if items, err = s.admitByName(ctx, s.at(items[0].route), items[1:]); err != nil {
			return err
		}
	}
	return nil
}

// admitByName admits messages whose names live in one partition, and returns those
// whose names have to be linked first. Messages that change names are among them.
func (s *Store) admitByName(ctx context.Context, part int, items []*item) ([]*item, error) {
	var left, now []*item
	blocked := map[name]bool{}
	args := ttlArgs()
	for _, it := range items {
		if blocked[it.route] = blocked[it.route] || it.moved; blocked[it.route] {
			left = append(left, it)
			continue
		}
		now, args = append(now, it), append(args, it.byName()...)
	}
	if len(now) == 0 {
		return left, nil
	}
	codes, err := s.admitCall(ctx, part, args, len(now))
	if err != nil {
		return nil, err
	}
	var forward, unlinked []*item
	for i, it := range now {
		code, conv := codes[2*i], codes[2*i+1]
		switch code {
		case "n", "d":
			it.settle(conv, code == "n")
		case "f":
			it.settle(conv, false)
			forward = append(forward, it)
		default:
			unlinked = append(unlinked, it)
		}
	}
	// In its run an unlinked message stands before those that were held back here.
	left = append(unlinked, left...)
	if len(forward) == 0 {
		return left, nil
	}
	err = each(ctx, groupBy(forward, func(it *item) int { p, _ := s.home(string(it.answer.Conversation)); return p }),
		func(ctx context.Context, part int, items []*item) error {
			args := ttlArgs()
			for _, it := range items {
				args = append(args, s.toConversation(it, string(it.answer.Conversation), false)...)
			}
			codes, err := s.admitCall(ctx, part, args, len(items))
			if err != nil {
				return err
			}
			for i, it := range items {
				if codes[2*i] == "e" { // erased meanwhile: it starts anew
					if err := s.resolve(ctx, it); err != nil {
						return err
					}
					continue
				}
				it.settle(codes[2*i+1], codes[2*i] == "n")
			}
			return nil
		})
	return left, err
}

// admitCall runs the script and tells the dispatcher what it learnt.
func (s *Store) admitCall(ctx context.Context, part int, args []string, n int) ([]string, error) {
	msg, err := s.run(ctx, "admit", call{sc: scAdmit, part: part, args: args, durable: true})
	if err != nil {
		return nil, err
	}
	out, err := stringsOf(msg)
	if err != nil {
		return nil, err
	}
	if len(out) != 1+2*n {
		return nil, errors.New("the script's answer is of another length")
	}
	s.dispatch.learn(part, out[0])
	for i := 1; i < len(out); i += 2 {
		if out[i] == "n" { // what is published is for the other processes
			s.news.Tell(domain.ConversationID(out[i+1]))
		}
	}
	return out[1:], nil
}

// stored reports whether an id is known in a partition other than its name's, and
// pins it where conv is given; see pin.lua.
func (s *Store) pin(ctx context.Context, part int, owner string, it *item, conv, not string) (known bool, tied string, err error) {
	msg, err := s.run(ctx, "admit", call{sc: scPin, part: part, args: append(ttlArgs(), owner, it.id, conv, not), durable: true, harmless: true})
	if err != nil {
		return false, "", err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 2 {
		return false, "", errors.Join(err, errors.New("pin: unexpected answer"))
	}
	return out[0] == "d", out[1], nil
}

// register notes names under a conversation, and conversations that lose a name to
// it, so that erasure finds them. It comes before the name leads there.
func (s *Store) register(ctx context.Context, conv, what string, members ...string) error {
	part, ok := s.home(conv)
	if !ok || len(members) == 0 {
		return nil
	}
	_, err := s.do(ctx, "admit", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Sadd().Key(s.base(part) + ":c:" + conv + ":" + what).Member(members...).Build()
	})
	return err
}

// partOf tells where a conversation lives; ids the store made always tell.
func (s *Store) partOf(conv string) (int, error) {
	part, ok := s.home(conv)
	if !ok {
		return 0, errors.New("a conversation's id names no partition: " + strconv.Itoa(len(conv)) + " characters")
	}
	return part, nil
}
