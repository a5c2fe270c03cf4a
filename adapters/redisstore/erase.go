package redisstore

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Find implements ports.ErasurePort.
func (s *Store) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	if err := ports.FromContext(ctx, opName("find")); err != nil {
		return nil, err
	}
	if err := who.Validate(); err != nil {
		return nil, invalid("find", err)
	}
	found, err := s.find(ctx, "find", who)
	if err != nil {
		return nil, storeErr(ctx, "find", err)
	}
	out := make([]domain.ConversationID, 0, len(found))
	for _, conv := range found {
		out = append(out, domain.ConversationID(conv))
	}
	return out, nil
}

// find follows every name of a person at every business number.
func (s *Store) find(ctx context.Context, op string, who domain.Contact) ([]string, error) {
	numbers, err := s.members(ctx, op, s.meta("numbers"))
	if err != nil {
		return nil, err
	}
	slices.Sort(numbers)
	var out []string
	for _, number := range numbers {
		for _, n := range []name{s.userName(domain.NumberID(number), who.UserID), s.phoneName(domain.NumberID(number), who.Phone)} {
			now, err := s.follow(ctx, op, n)
			if err != nil {
				return nil, err
			}
			if now.leads() && !slices.Contains(out, now.conv) {
				out = append(out, now.conv)
			}
		}
	}
	return out, nil
}

func (s *Store) members(ctx context.Context, op, key string) ([]string, error) {
	msg, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed { return b.Smembers().Key(key).Build() })
	if err != nil {
		return nil, err
	}
	return stringsOf(msg)
}

// eraseRounds bounds how often Erase looks again for a person who writes meanwhile.
const eraseRounds = 16

// Erase implements ports.ErasurePort. What is being erased is written down first, so
// that an erasure which was interrupted is completed by the next one, whoever it is
// for. Then the names go, so that new messages start anew, and then the rest.
func (s *Store) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	var gone ports.Erased
	if err := ports.FromContext(ctx, opName("erase")); err != nil {
		return gone, err
	}
	if err := who.Validate(); err != nil {
		return gone, invalid("erase", err)
	}
	if err := s.erase(ctx, who, &gone); err != nil {
		return gone, storeErr(ctx, "erase", err)
	}
	return gone, nil
}

func (s *Store) erase(ctx context.Context, who domain.Contact, gone *ports.Erased) error {
	for range eraseRounds {
		found, err := s.find(ctx, "erase", who)
		if err != nil {
			return err
		}
		if found, err = s.withOrphans(ctx, found); err != nil {
			return err
		}
		if len(found) > 0 {
			if _, err := s.do(ctx, "erase", true, func(b rueidis.Builder) rueidis.Completed {
				return b.Sadd().Key(s.meta("erasing")).Member(found...).Build()
			}); err != nil {
				return err
			}
		}
		begun, err := s.members(ctx, "erase", s.meta("erasing"))
		if err != nil {
			return err
		}
		if len(begun) == 0 {
			return nil
		}
		for _, conv := range begun {
			if err := s.eraseOne(ctx, conv, gone); err != nil {
				return err
			}
		}
	}
	return errors.New("the person writes faster than it can be erased")
}

// withOrphans adds the conversations that no name leads to any more because theirs
// went over to one of those found: a message that overtook the news of a changed
// number, for instance, began one.
func (s *Store) withOrphans(ctx context.Context, found []string) ([]string, error) {
	for i := 0; i < len(found); i++ {
		stock, err := s.inventory(ctx, found[i])
		if err != nil {
			return nil, err
		}
		for _, kin := range stock.kin {
			if slices.Contains(found, kin) {
				continue
			}
			led, err := s.isLed(ctx, kin)
			if err != nil {
				return nil, err
			}
			if !led {
				found = append(found, kin)
			}
		}
	}
	return found, nil
}

// isLed reports whether any name leads to a conversation.
func (s *Store) isLed(ctx context.Context, conv string) (bool, error) {
	stock, err := s.inventory(ctx, conv)
	if err != nil {
		return false, err
	}
	for _, n := range stock.names {
		now, err := s.follow(ctx, "erase", name(n))
		if err != nil {
			return false, err
		}
		if now.leads() && now.conv == conv {
			return true, nil
		}
	}
	return false, nil
}

// stock is what a conversation has in other partitions than its own.
type stock struct{ names, wamids, forwarded, kin []string }

func (s *Store) inventory(ctx context.Context, conv string) (stock, error) {
	part, ok := s.home(conv)
	if !ok {
		return stock{}, nil
	}
	msg, err := s.run(ctx, "erase", call{sc: scInventory, part: part, args: []string{conv}, harmless: true})
	if err != nil {
		return stock{}, err
	}
	rows, err := msg.ToArray()
	if err != nil || len(rows) != 4 {
		return stock{}, errors.Join(err, errors.New("unexpected answer"))
	}
	var all [4][]string
	for i := range all {
		if all[i], err = stringsOf(rows[i]); err != nil {
			return stock{}, err
		}
	}
	return stock{names: all[0], wamids: all[1], forwarded: all[2], kin: all[3]}, nil
}

// eraseOne removes one conversation. Every step may be repeated; what is counted is
// counted by the step that removed it.
func (s *Store) eraseOne(ctx context.Context, conv string, gone *ports.Erased) error {
	part, ok := s.home(conv)
	if !ok {
		return nil
	}
	has, err := s.inventory(ctx, conv)
	if err != nil {
		return err
	}
	for _, n := range has.names {
		args := append(append(ttlArgs(), n, conv), has.forwarded...)
		counts, err := s.counts(ctx, call{sc: scForget, part: s.partition(n), args: args, durable: true}, 2)
		if err != nil {
			return err
		}
		gone.Names, gone.MessageIDs = gone.Names+counts[0], gone.MessageIDs+counts[1]
	}
	for _, w := range has.wamids {
		if _, err := s.do(ctx, "erase", true, func(b rueidis.Builder) rueidis.Completed { return b.Del().Key(s.pointerKey(w)).Build() }); err != nil {
			return err
		}
	}
	args := []string{conv, s.tombstone(conv), strconv.FormatInt(tombstoneTTL.Milliseconds(), 10)}
	counts, err := s.counts(ctx, call{sc: scErase, part: part, args: args, durable: true}, 5)
	if err != nil {
		return err
	}
	gone.Conversations, gone.Messages = gone.Conversations+counts[0], gone.Messages+counts[1]
	gone.Turns, gone.DeadLetters, gone.MessageIDs = gone.Turns+counts[2], gone.DeadLetters+counts[3], gone.MessageIDs+counts[4]
	_, err = s.do(ctx, "erase", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Srem().Key(s.meta("erasing")).Member(conv).Build()
	})
	return err
}

// counts runs a script that answers with numbers.
func (s *Store) counts(ctx context.Context, c call, n int) ([]int, error) {
	msg, err := s.run(ctx, "erase", c)
	if err != nil {
		return nil, err
	}
	rows, err := msg.AsIntSlice()
	if err != nil || len(rows) != n {
		return nil, errors.Join(err, errors.New("unexpected answer"))
	}
	out := make([]int, n)
	for i, v := range rows {
		out[i] = int(v)
	}
	return out, nil
}
