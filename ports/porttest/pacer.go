package porttest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/ports"
)

// PacerHarness says how to make a pacer and how to put it to the test.
type PacerHarness struct {
	// New makes a pacer whose buckets are all full, which t's cleanup closes.
	New func(t *testing.T) ports.PacerPort
	// Another makes a second pacer that shares the limits of p, as another process
	// has it. Nil skips the case about that, for a store of one process.
	Another func(t *testing.T, p ports.PacerPort) ports.PacerPort
	// Advance lets d pass, as StoreHarness.Advance does.
	Advance func(t *testing.T, d time.Duration)
	// Unit is far more than any call of the pacer takes; the longest wait of a case
	// is 60 of it. One second when zero.
	Unit time.Duration
	// Wrap runs a case, as StoreHarness.Wrap does.
	Wrap func(t *testing.T, fn func(t *testing.T))
}

// TestPacer checks what ports.PacerPort promises.
func TestPacer(t *testing.T, h PacerHarness) {
	if h.Unit == 0 {
		h.Unit = time.Second
	}
	for name, fn := range map[string]func(*pacerCase){
		"BucketStartsFull":                 paceFull,
		"RefusalTellsTrueWait":             paceWait,
		"RefusalTakesNothing":              paceRefusal,
		"GainsOneEach":                     paceGains,
		"NeverHoldsMoreThanCapacity":       paceCapacity,
		"CapacityOfOne":                    paceOne,
		"BucketsAreApart":                  paceApart,
		"ConcurrentTakeGivesCapacity":      paceConcurrent,
		"LimitIsSharedByProcesses":         paceShared,
		"HoldEmpties":                      holdEmpties,
		"HoldKeepsEmpty":                   holdKeeps,
		"AfterHoldTheBucketIsNotFull":      holdEnds,
		"ShorterHoldDoesNotShorten":        holdShorter,
		"LongerHoldLengthens":              holdLonger,
		"HoldGivesNoToken":                 holdGivesNone,
		"HoldConcernsItsBucketOnly":        holdApart,
		"ConcurrentHoldsKeepTheLongest":    holdConcurrent,
		"EndedContextTakesAndHoldsNothing": paceCanceled,
	} {
		t.Run(name, func(t *testing.T) {
			body := func(t *testing.T) { fn(&pacerCase{T: t, h: h, p: h.New(t), ctx: t.Context()}) }
			if h.Wrap != nil {
				h.Wrap(t, body)
			} else {
				body(t)
			}
		})
	}
}

type pacerCase struct {
	*testing.T
	h   PacerHarness
	p   ports.PacerPort
	ctx context.Context
}

func (c *pacerCase) units(n int) time.Duration { return time.Duration(n) * c.h.Unit }
func (c *pacerCase) advance(d time.Duration)   { c.Helper(); c.h.Advance(c.T, d) }

// every is slow enough that no token is gained by the way.
func (c *pacerCase) every() time.Duration { return c.units(10) }

func (c *pacerCase) bucket(key string, capacity int) ports.Bucket {
	return ports.Bucket{Key: key, Capacity: capacity, Every: c.every()}
}

func (c *pacerCase) take(b ports.Bucket) time.Duration {
	c.Helper()
	wait, err := c.p.Take(c.ctx, b)
	require.NoError(c, err)
	require.GreaterOrEqual(c, wait, time.Duration(0))
	return wait
}

// given demands n tokens, and that there is none left after them.
func (c *pacerCase) given(b ports.Bucket, n int, msg string) {
	c.Helper()
	for i := range n {
		require.Zero(c, c.take(b), "%s: token %d of %d", msg, i+1, n)
	}
	require.Positive(c, c.take(b), "%s: there are only %d tokens", msg, n)
}

func (c *pacerCase) hold(b ports.Bucket, d time.Duration) {
	c.Helper()
	require.NoError(c, c.p.Hold(c.ctx, b, d))
}

// held demands that a token is at least d away, but for a unit that has passed
// since, and that the wait is no longer than d and the time to gain a token.
func (c *pacerCase) held(b ports.Bucket, d time.Duration, msg string) {
	c.Helper()
	wait := c.take(b)
	require.Greater(c, wait, d-c.h.Unit, msg)
	require.LessOrEqual(c, wait, d+b.Every, msg)
}

func paceFull(c *pacerCase) {
	c.given(c.bucket("k", 3), 3, "a bucket nobody used")
}

func paceWait(c *pacerCase) {
	b := c.bucket("k", 2)
	c.given(b, 2, "full")
	for range 3 {
		wait := c.take(b)
		require.Positive(c, wait)
		require.LessOrEqual(c, wait, b.Every, "a token comes each Every")
		c.advance(wait)
		require.Zero(c, c.take(b), "after the wait there is a token")
	}
}

func paceRefusal(c *pacerCase) {
	b := c.bucket("k", 1)
	c.given(b, 1, "full")
	first := c.take(b)
	for range 5 {
		require.LessOrEqual(c, c.take(b), first, "a refusal takes none")
	}
	c.advance(first)
	require.Zero(c, c.take(b))
}

func paceGains(c *pacerCase) {
	b := c.bucket("k", 5)
	c.given(b, 5, "full")
	c.advance(b.Every)
	c.given(b, 1, "after Every")
	c.advance(2 * b.Every)
	c.given(b, 2, "after two Every more")
}

func paceCapacity(c *pacerCase) {
	b := c.bucket("k", 2)
	c.given(b, 2, "full")
	c.advance(6 * b.Every)
	c.given(b, 2, "after a long time")
}

func paceOne(c *pacerCase) {
	b := c.bucket("k", 1)
	c.given(b, 1, "full")
	c.advance(b.Every)
	c.given(b, 1, "after Every")
	c.advance(3 * b.Every)
	c.given(b, 1, "after three Every")
}

func paceApart(c *pacerCase) {
	c.given(c.bucket("one", 2), 2, "one")
	c.given(c.bucket("two", 3), 3, "two")
	c.given(c.bucket("One", 1), 1, "keys are exact")
}

func paceConcurrent(c *pacerCase) {
	const callers, capacity = 40, 7
	b := c.bucket("k", capacity)
	var taken atomic.Int64
	var failed errorList
	atOnce(callers, func(int) {
		wait, err := c.p.Take(c.ctx, b)
		failed.add(err)
		if err == nil && wait == 0 {
			taken.Add(1)
		}
	})
	require.NoError(c, failed.err())
	assert.Equal(c, int64(capacity), taken.Load())
}

func paceShared(c *pacerCase) {
	if c.h.Another == nil {
		c.Skip("the harness has no second process")
	}
	other := c.h.Another(c.T, c.p)
	b := c.bucket("k", 3)
	require.Zero(c, c.take(b))
	for range 2 {
		wait, err := other.Take(c.ctx, b)
		require.NoError(c, err)
		require.Zero(c, wait)
	}
	require.Positive(c, c.take(b), "the other process took the rest")
	held := c.bucket("held", 3)
	require.NoError(c, other.Hold(c.ctx, held, c.units(20)))
	c.held(held, c.units(20), "a hold of the other process")
}

func holdEmpties(c *pacerCase) {
	b := c.bucket("k", 5)
	c.hold(b, c.units(20))
	c.held(b, c.units(20), "the bucket was full")
}

func holdKeeps(c *pacerCase) {
	b := c.bucket("k", 5)
	c.hold(b, c.units(40))
	c.advance(c.units(20))
	c.held(b, c.units(20), "no token is gained meanwhile")
	c.advance(c.units(15))
	c.held(b, c.units(5), "nor later")
	c.advance(c.take(b))
	require.Zero(c, c.take(b), "after the wait there is a token")
}

func holdEnds(c *pacerCase) {
	b := c.bucket("k", 5)
	c.hold(b, c.units(40))
	c.advance(c.take(b))
	c.given(b, 1, "a hold leaves an empty bucket behind")
	c.advance(c.take(b))
	c.given(b, 1, "which fills as ever")
}

func holdShorter(c *pacerCase) {
	b := c.bucket("k", 5)
	c.hold(b, c.units(40))
	c.hold(b, c.units(2))
	c.held(b, c.units(40), "the longer hold is in force")
}

func holdLonger(c *pacerCase) {
	b := c.bucket("k", 5)
	c.hold(b, c.units(2))
	c.hold(b, c.units(40))
	c.held(b, c.units(40), "the longer hold is in force")
}

func holdGivesNone(c *pacerCase) {
	b := c.bucket("k", 2)
	c.given(b, 2, "full")
	before := c.take(b)
	c.hold(b, c.units(2))
	require.Greater(c, c.take(b), before-c.units(2), "a hold shorter than the wait changes nothing")
}

func holdApart(c *pacerCase) {
	c.hold(c.bucket("one", 2), c.units(40))
	c.given(c.bucket("two", 2), 2, "another bucket")
}

func holdConcurrent(c *pacerCase) {
	b := c.bucket("k", 3)
	var failed errorList
	atOnce(8, func(i int) { failed.add(c.p.Hold(c.ctx, b, c.units(5*(i+1)))) })
	require.NoError(c, failed.err())
	c.held(b, c.units(40), "the longest")
}

func paceCanceled(c *pacerCase) {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	b := c.bucket("k", 2)
	_, err := c.p.Take(ctx, b)
	require.ErrorIs(c, err, context.Canceled)
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	require.ErrorIs(c, c.p.Hold(ctx, b, c.units(40)), context.Canceled)
	c.given(b, 2, "nothing was taken")
}
