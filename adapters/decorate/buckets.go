package decorate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// buckets names the limits a message falls under. A person is known by user id where
// there is one, which is on every message since April 2026, and each business number
// has a limit of its own for each person.
func (p *paced) buckets(out domain.Outbound) (number, recipient ports.Bucket) {
	kind, id := "user", string(out.To.UserID)
	if id == "" {
		kind, id = "phone", string(out.To.Phone)
	}
	number = ports.Bucket{
		Key: p.key("number", string(out.Number)), Capacity: p.limits.NumberRate,
		Every: max(1, time.Second/time.Duration(p.limits.NumberRate)),
	}
	recipient = ports.Bucket{
		Key: p.key("recipient", string(out.Number), kind, id), Capacity: p.limits.RecipientBurst,
		Every: p.limits.RecipientEvery,
	}
	return number, recipient
}

// key is 128 bits of a keyed hash: too much to collide, and no personal data.
func (p *paced) key(parts ...string) string {
	mac := hmac.New(sha256.New, p.limits.Secret)
	for _, s := range parts {
		mac.Write([]byte(s))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// When the network names no time, each refusal in a row multiplies the wait, up to
// about a minute: 1, 4, 16, 64 s for a recipient, as Meta asks for code 131056
// ("Error codes"), and 1, 2, 4, ... 64 s for a number.
const (
	recipientGrowth = 4
	numberGrowth    = 2
	longestHold     = 64 * time.Second
	// inRow is how long after the end of a hold a refusal still counts as the next in
	// a row; later, other processes have been sending meanwhile.
	inRow = 30 * time.Second
	// maxRefusals bounds what is remembered of them, about 100 bytes each.
	maxRefusals = 10_000
)

// refusals counts the refusals in a row of each bucket, in this process alone: it
// only chooses the length of a hold that all processes share.
type refusals struct {
	mu  sync.Mutex
	row map[string]refusal
}

type refusal struct {
	wait time.Duration // the one given last
	at   time.Time
}

func newRefusals() *refusals { return &refusals{row: map[string]refusal{}} }

// next counts a refusal and returns the wait it calls for.
func (r *refusals) next(key string, growth time.Duration, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := time.Second
	if last, ok := r.row[key]; ok && now.Sub(last.at) < last.wait+inRow {
		wait = min(longestHold, last.wait*growth)
	}
	if len(r.row) >= maxRefusals {
		maps.DeleteFunc(r.row, func(_ string, f refusal) bool { return now.Sub(f.at) >= f.wait+inRow })
	}
	if len(r.row) >= maxRefusals {
		clear(r.row) // the schedule starts anew, which is no harm
	}
	r.row[key] = refusal{wait: wait, at: now}
	return wait
}

// forget ends the rows of buckets through which a message was accepted.
func (r *refusals) forget(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		delete(r.row, k)
	}
}
