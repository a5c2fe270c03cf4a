package sqlitestore

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"whatsappnode/ports"
)

// pacer keeps the buckets of ports.PacerPort in memory: one process owns the file,
// so nobody else sends, and after a start the buckets are full. A bucket is known by
// the moment at which it will be full, for it lacks one token for each Every until
// then. A full bucket needs no memory and is forgotten; so there are at most as many
// as were used within the time it takes one to fill up, or are held.
type pacer struct {
	mu   sync.Mutex
	full map[string]int64 // Unix nanoseconds
	// sweepAt is the number of buckets at which the full ones are looked for: twice
	// what the last look left, so that the looks cost little on average.
	sweepAt int
}

// firstSweep is the least number of buckets worth a look.
const firstSweep = 1024

var errBucket = errors.New("a bucket needs a key, a capacity and a rate")

// Take implements ports.PacerPort. It never touches the disk.
func (s *Store) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	if err := s.paceable(ctx, "take", b); err != nil {
		return 0, err
	}
	return s.pace.take(s.clock().UnixNano(), b), nil
}

// Hold implements ports.PacerPort. When d has passed there is one token. A hold ends
// with the process; the network then says again what it said before.
func (s *Store) Hold(ctx context.Context, b ports.Bucket, d time.Duration) error {
	if err := s.paceable(ctx, "hold", b); err != nil {
		return err
	}
	if d > 0 {
		s.pace.hold(s.clock().UnixNano(), b, d)
	}
	return nil
}

func (s *Store) paceable(ctx context.Context, op string, b ports.Bucket) error {
	if err := ports.FromContext(ctx, "sqlitestore: "+op); err != nil {
		return err
	}
	if s.closed() {
		return storeErr(op, ErrClosed)
	}
	if b.Key == "" || b.Capacity < 1 || b.Every <= 0 {
		return invalid(op, errBucket)
	}
	return nil
}

func (p *pacer) take(now int64, b ports.Bucket) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := max(p.full[b.Key], now) + int64(b.Every)
	if wait := full - now - int64(b.Capacity)*int64(b.Every); wait > 0 {
		return time.Duration(wait)
	}
	p.set(now, b.Key, full)
	return 0
}

func (p *pacer) hold(now int64, b ports.Bucket, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(now, b.Key, max(p.full[b.Key], now+int64(d)+int64(b.Capacity-1)*int64(b.Every)))
}

func (p *pacer) set(now int64, key string, full int64) {
	if p.full == nil {
		p.full, p.sweepAt = map[string]int64{}, firstSweep
	}
	p.full[key] = full
	if len(p.full) >= p.sweepAt {
		maps.DeleteFunc(p.full, func(_ string, full int64) bool { return full <= now })
		p.sweepAt = max(firstSweep, 2*len(p.full))
	}
}
