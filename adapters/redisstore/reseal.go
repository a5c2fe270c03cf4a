package redisstore

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// scReseal runs for the operator alone and takes any key.
var scReseal = mustRead("reseal")

// resealPage is how many keys one step of SCAN looks at.
const resealPage = 512

// Reseal seals with the first key every record that is plain or that another key
// seals, and answers how many. It may run beside everything else, and again: a value
// that somebody writes meanwhile is left to them, since they seal it. It walks over
// all keys of the server with SCAN, so it is for the operator, after a change of keys.
// Without keys it is KindInvalid.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	if err := ports.FromContext(ctx, opName("reseal")); err != nil {
		return 0, err
	}
	if s.sealer == nil {
		return 0, invalid("reseal", errors.New("no key is given (STORE_KEY or STORE_KEYS)"))
	}
	done := 0
	for _, node := range s.client.Nodes() {
		n, err := s.resealNode(ctx, node)
		done += n
		if err != nil {
			return done, storeErr(ctx, "reseal", err)
		}
	}
	return done, nil
}

func (s *Store) resealNode(ctx context.Context, node rueidis.Client) (int, error) {
	if role, err := node.Do(ctx, node.B().Role().Build()).ToArray(); err != nil {
		return 0, err
	} else if kind, _ := role[0].ToString(); kind != "master" {
		return 0, nil // it follows its master
	}
	done, cursor := 0, uint64(0)
	for {
		page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match("{"+s.opt.Prefix+":p*").Count(resealPage).Build()).AsScanEntry()
		if err != nil {
			return done, err
		}
		for _, key := range page.Elements {
			n, err := s.resealKey(ctx, key)
			done += n
			if err != nil {
				return done, err
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return done, nil
		}
	}
}

// resealKey seals the records of one key, if it holds any.
func (s *Store) resealKey(ctx context.Context, key string) (int, error) {
	_, rest, ok := strings.Cut(key, "}:")
	if !ok {
		return 0, nil
	}
	kind, id, _ := strings.Cut(rest, ":")
	id, sub, _ := strings.Cut(id, ":")
	switch {
	case kind == "c" && sub == "":
		return s.resealHash(ctx, key, func(field string) (record.Kind, string, bool) {
			return record.KindConversation, id, field == "mem"
		})
	case kind == "c" && sub == "mem":
		return s.resealString(ctx, key, id)
	case kind == "c" && sub == "m":
		return s.resealHash(ctx, key, func(field string) (record.Kind, string, bool) { return record.KindMessage, field, true })
	case kind == "t" && sub == "":
		return s.resealHash(ctx, key, func(field string) (record.Kind, string, bool) {
			if field == "d" {
				return record.KindTurn, id, true
			}
			return record.KindFact, id, strings.HasPrefix(field, "f:")
		})
	case kind == "t" && sub == "dm":
		return s.resealList(ctx, key)
	}
	return 0, nil
}

func (s *Store) resealHash(ctx context.Context, key string, place func(field string) (record.Kind, string, bool)) (int, error) {
	all, err := s.client.Do(ctx, s.client.B().Hgetall().Key(key).Build()).AsStrMap()
	if err != nil {
		return 0, err
	}
	done := 0
	for field, value := range all {
		kind, id, is := place(field)
		if !is {
			continue
		}
		// Messages and facts stand behind a number.
		head, data := "", value
		if kind == record.KindMessage || kind == record.KindFact {
			n, rest, _ := strings.Cut(value, ":")
			head, data = n+":", rest
		}
		n, err := s.resealValue(ctx, key, "hash", field, value, head, data, kind, id)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// resealString seals what a conversation remembers.
func (s *Store) resealString(ctx context.Context, key, id string) (int, error) {
	value, err := s.client.Do(ctx, s.client.B().Get().Key(key).Build()).ToString()
	if rueidis.IsRedisNil(err) {
		return 0, nil // its time is over
	}
	if err != nil {
		return 0, err
	}
	return s.resealValue(ctx, key, "string", "", value, "", value, record.KindConversation, id)
}

// resealList seals the messages of a dead letter: id hash, number, time, record.
func (s *Store) resealList(ctx context.Context, key string) (int, error) {
	all, err := s.client.Do(ctx, s.client.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
	if err != nil {
		return 0, err
	}
	done := 0
	for i, value := range all {
		parts := strings.SplitN(value, "|", 4)
		if len(parts) != 4 {
			return done, record.ErrMalformed
		}
		n, err := s.resealValue(ctx, key, "list", strconv.Itoa(i), value, strings.TrimSuffix(value, parts[3]), parts[3], record.KindMessage, parts[0])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (s *Store) resealValue(ctx context.Context, key, form, at, value, head, data string, kind record.Kind, id string) (int, error) {
	if data == "" {
		return 0, nil
	}
	sealed, changed, err := s.sealer.Reseal([]byte(data), kind, id)
	if err != nil || !changed {
		return 0, err
	}
	msg, err := s.do(ctx, "reseal", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Eval().Script(scReseal).Numkeys(1).Key(key).Arg(form, at, value, head+string(sealed)).Build()
	})
	if err != nil {
		return 0, err
	}
	n, err := msg.AsInt64()
	if err != nil {
		return 0, errors.Join(err, errors.New("unexpected answer"))
	}
	return int(n), nil
}
