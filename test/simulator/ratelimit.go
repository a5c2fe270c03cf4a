package simulator

import "time"

// Meta's limits (About the platform > Rate limits): a burst of 45 messages to one user, then one per 6 seconds; 80
// messages per second and business number, in and out together.
const (
	pairBurst       = 45
	pairRefill      = 6 * time.Second
	throughputBurst = 80
	throughputFill  = time.Second / 80
)

// bucket is a token bucket on the configured clock; its zero value is full.
type bucket struct {
	used float64
	at   time.Time
}

// take removes a token if there is one.
func (b *bucket) take(now time.Time, size int, refill time.Duration) bool {
	if passed := now.Sub(b.at); passed > 0 {
		b.used = max(b.used-float64(passed)/float64(refill), 0)
		b.at = now
	}
	if b.used+1 > float64(size) {
		return false
	}
	b.used++
	return true
}
