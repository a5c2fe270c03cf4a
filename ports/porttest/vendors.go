package porttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"whatsappnode/ports"
)

// vendorSecret is said and spoken in the vendors' suites and must not appear in
// any error.
const vendorSecret = "the code of the safe is 4711"

// shortly is how long a case waits before it ends a call that hangs. It is no
// measurement: the call would never end by itself.
const shortly = 50 * time.Millisecond

// patience ends a case whose adapter does not come back, and grace one whose
// adapter does not come back although the context ended.
const (
	patience = time.Minute
	grace    = 4 * time.Second
)

// vendorCase is one rule of a vendor's suite. A bare case is run outside the
// harness's Wrap, because it counts goroutines.
type vendorCase[H any] struct {
	name string
	run  func(t *testing.T, h H)
	bare bool
}

func runVendorCases[H any](t *testing.T, h H, wrap func(*testing.T, func(*testing.T)), cases []vendorCase[H]) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if wrap == nil || c.bare {
				c.run(t, h)
				return
			}
			wrap(t, func(t *testing.T) { c.run(t, h) })
		})
	}
}

// runKinds runs one case for each kind of failure the harness can provoke.
func runKinds[P any](t *testing.T, fail map[ports.Kind]func(*testing.T) P, wrap func(*testing.T, func(*testing.T)), run func(t *testing.T, port P, kind ports.Kind)) {
	t.Run("FailuresHaveTheirKind", func(t *testing.T) {
		if len(fail) == 0 {
			t.Skip("the harness cannot provoke failures")
		}
		for kind, provoke := range fail {
			t.Run(string(kind), func(t *testing.T) {
				if wrap == nil {
					run(t, provoke(t), kind)
					return
				}
				wrap(t, func(t *testing.T) { run(t, provoke(t), kind) })
			})
		}
	})
}

// need skips the case, visibly, when the harness lacks a function.
func need(t *testing.T, has bool, what string) {
	t.Helper()
	if !has {
		t.Skipf("the harness cannot %s", what)
	}
}

// checkKind demands an Error of a kind that gives away no words.
func checkKind(t *testing.T, err error, want ports.Kind) {
	t.Helper()
	var e *ports.Error
	if !errors.As(err, &e) {
		t.Errorf("got the error %v, want a *ports.Error of kind %q", err, want)
		return
	}
	if e.Kind != want {
		t.Errorf("got kind %q, want %q: %v", e.Kind, want, err)
	}
	if strings.Contains(err.Error(), vendorSecret) {
		t.Error("the error repeats what was said")
	}
}

// checkEnded demands the error of a call whose context ended, with the context's
// own error in its chain.
func checkEnded(t *testing.T, err error, want ports.Kind) {
	t.Helper()
	checkKind(t, err, want)
	cause := context.Canceled
	if want == ports.KindTimeout {
		cause = context.DeadlineExceeded
	}
	if !errors.Is(err, cause) {
		t.Errorf("the error %v does not hold the context's own", err)
	}
}

// ending is one way in which a call's context ends, and the kind it must give.
type ending struct {
	kind ports.Kind
	ctx  func(parent context.Context) (context.Context, context.CancelFunc)
}

// endings end a context shortly after the call began.
var endings = []ending{
	{ports.KindCanceled, func(parent context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(parent)
		stop := time.AfterFunc(shortly, cancel)
		return ctx, func() { stop.Stop(); cancel() }
	}},
	{ports.KindTimeout, func(parent context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(parent, shortly)
	}},
}

// ended are contexts that ended before the call.
var ended = []ending{
	{ports.KindCanceled, func(parent context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(parent)
		cancel()
		return ctx, cancel
	}},
	{ports.KindTimeout, func(parent context.Context) (context.Context, context.CancelFunc) {
		return context.WithDeadline(parent, time.Now().Add(-time.Hour))
	}},
}

// comesBack runs fn and fails when it takes longer than limit. A call that ignores
// its context would else stop the whole suite.
func comesBack(t *testing.T, limit time.Duration, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatal("the call does not come back")
	}
}

// patienceFor is how long to wait for a call that must end in that kind.
func patienceFor(kind ports.Kind) time.Duration {
	if kind == ports.KindCanceled || kind == ports.KindTimeout {
		return grace
	}
	return patience
}
