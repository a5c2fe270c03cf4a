package redisstore

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"golang.org/x/sync/errgroup"

	"whatsappnode/adapters/news"
	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var (
	_ ports.DedupPort        = (*Store)(nil)
	_ ports.InboxPort        = (*Store)(nil)
	_ ports.ConversationPort = (*Store)(nil)
	_ ports.DeadLetterPort   = (*Store)(nil)
	_ ports.ErasurePort      = (*Store)(nil)
	_ ports.PacerPort        = (*Store)(nil)
	_ ports.LedgerPort       = (*Store)(nil)
	_ ports.ControlPort      = (*Store)(nil)
)

// Store is an open connection to Redis. It is safe for concurrent use. From the
// first Lease on it owns goroutines that claim and listen; Close ends them.
type Store struct {
	opt     Options
	sealer  *record.Sealer // nil without keys
	names   *record.Names  // nil in a store that was begun without keys
	client  rueidis.Client
	confirm *confirmation // nil when an answer is confirmation enough
	report  Report

	bases    []string // hash tags of the partitions
	channel  string   // of wake-ups
	instance string   // tells our own wake-ups from others'

	numbers  sync.Map     // business numbers that are written down already
	lastSync atomic.Int64 // Unix nanoseconds of the newest durable write Ping made

	dispatch  *dispatcher
	news      *news.Leases
	closing   chan struct{}
	closeOnce sync.Once
}

// Close answers waiting callers of Lease with ErrClosed, ends the goroutines and
// closes the connections. Further calls do nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.dispatch.stop()
		s.client.Close()
	})
	return nil
}

func (s *Store) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Durability tells what was found out about the server at start.
func (s *Store) Durability() Report { return s.report }

// pingFresh is how long a durable write proves that the store works. It keeps
// frequent probes from costing a write each.
const pingFresh = time.Second

// Ping reports whether the store can make something durable. It writes one key, of
// a partition chosen anew each time, unless it has done so within the last second.
func (s *Store) Ping(ctx context.Context) error {
	now := time.Now().UnixNano()
	last := s.lastSync.Load()
	if age := now - last; age >= 0 && age < int64(pingFresh) && !s.closed() {
		return ports.FromContext(ctx, opName("ping"))
	}
	part := int(uint64(now) % uint64(s.opt.Partitions)) // #nosec G115 -- below the number of partitions
	// A bucket that is taken from leaves a trace of a millisecond: a true write.
	_, err := s.run(ctx, "ping", call{sc: scTake, part: part, args: []string{"ping", "1", "1"}, durable: true, harmless: true})
	if err == nil {
		s.lastSync.Store(now)
	}
	return err
}

// Backlog implements ports.BacklogPort. It asks every partition, one after the other
// in the server, so the figures are of about one moment.
func (s *Store) Backlog(ctx context.Context) (ports.Backlog, error) {
	if err := ports.FromContext(ctx, opName("backlog")); err != nil {
		return ports.Backlog{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callBudget)
	defer cancel()
	const questions = 4
	var all []rueidis.Completed
	for part := range s.bases {
		b := s.base(part)
		all = append(all,
			s.client.B().Zcard().Key(b+":due").Build(),
			s.client.B().Zcard().Key(b+":wait").Build(),
			s.client.B().Zcard().Key(b+":dead").Build(),
			s.client.B().Zrange().Key(b+":wait").Min("0").Max("0").Withscores().Build())
	}
	var out []rueidis.RedisResult
	if err := safely(func() error { out = s.client.DoMulti(ctx, all...); return nil }); err != nil {
		return ports.Backlog{}, storeErr(ctx, "backlog", err)
	}
	var b ports.Backlog
	for i := 0; i < len(out); i += questions {
		for j, sum := range []*int{&b.Conversations, &b.Messages, &b.DeadLetters} {
			n, err := out[i+j].AsInt64()
			if err != nil {
				return ports.Backlog{}, storeErr(ctx, "backlog", err)
			}
			*sum += int(n)
		}
		first, err := out[i+questions-1].AsZScores()
		if err != nil {
			return ports.Backlog{}, storeErr(ctx, "backlog", err)
		}
		if len(first) > 0 {
			if at := time.UnixMicro(int64(first[0].Score)); b.Oldest.IsZero() || at.Before(b.Oldest) {
				b.Oldest = at
			}
		}
	}
	return b, nil
}

// atOnce bounds how many partitions one call works on at the same time.
const atOnce = 16

// each runs fn for every key of work, several at a time.
func each[K comparable, V any](ctx context.Context, work map[K]V, fn func(ctx context.Context, k K, v V) error) error {
	if len(work) == 1 {
		for k, v := range work {
			return fn(ctx, k, v)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for k, v := range work {
		group.Go(func() error { return fn(ctx, k, v) })
	}
	return group.Wait()
}

// remember writes a business number down, once a process: erasure asks for all of
// them, since a person's names are known by number only as hashes.
func (s *Store) remember(ctx context.Context, op string, number domain.NumberID) error {
	if _, known := s.numbers.Load(number); known {
		return nil
	}
	_, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed {
		return b.Sadd().Key(s.meta("numbers")).Member(string(number)).Build()
	})
	if err == nil {
		s.numbers.Store(number, struct{}{})
	}
	return err
}

// strings reads an array of strings.
func stringsOf(m rueidis.RedisMessage) ([]string, error) {
	if m.IsNil() {
		return nil, nil
	}
	return m.AsStrSlice()
}

func ttlArgs() []string {
	return []string{strconv.FormatInt(ports.DedupTTL.Microseconds(), 10)}
}
