package echohttp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Check reports why a part of the program cannot do its work, or nil. It must end
// when ctx does; its error's text must be safe to log.
type Check = func(ctx context.Context) error

// Readiness asks all checks at once and remembers the answer for a moment, so
// that a flood of probes does not reach the store. It may be used concurrently.
type Readiness struct {
	timeout, age time.Duration
	checks       []*check
	draining     atomic.Bool

	turn chan struct{} // holds one token; its holder may touch last
	last Report
}

type check struct {
	name string
	run  Check
	busy atomic.Bool
	// aside: it is told, and does not count.
	aside bool
}

// Report is the answer of all checks, in the order of their names.
type Report struct {
	OK     bool
	At     time.Time
	Checks []CheckResult
}

// CheckResult is the answer of one check.
type CheckResult struct {
	Name string
	Err  error
	Took time.Duration
	// Aside says that it does not count.
	Aside bool
}

var (
	errStillRunning = errors.New("the check before this one has not come back")
	errPanicked     = errors.New("the check panicked")
)

// NewReadiness makes a Readiness; each check has the time-out, and an answer is
// used again until it is older than age.
func NewReadiness(checks map[string]Check, timeout, age time.Duration) (*Readiness, error) {
	if timeout <= 0 {
		return nil, errors.New("readiness: the time-out of a check must be above zero")
	}
	r := &Readiness{timeout: timeout, age: age, turn: make(chan struct{}, 1)}
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name] == nil {
			return nil, fmt.Errorf("readiness: check %q is nil", name)
		}
		r.checks = append(r.checks, &check{name: name, run: checks[name]})
	}
	return r, nil
}

// tellAside adds checks that are told and do not count. It must be called before Ask.
func (r *Readiness) tellAside(checks map[string]Check) error {
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name] == nil {
			return fmt.Errorf("readiness: aside %q is nil", name)
		}
		r.checks = append(r.checks, &check{name: name, run: checks[name], aside: true})
	}
	return nil
}

// Ask returns the newest answer, at most age old. It blocks at most for the
// time-out of a check. Whoever comes while the checks run gets their answer.
func (r *Readiness) Ask(ctx context.Context) Report {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	if !r.last.At.IsZero() && time.Since(r.last.At) < r.age {
		return r.last
	}
	// The answer is for others too: it must not fail because this client left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer cancel()
	answers := make([]chan CheckResult, len(r.checks))
	for i, c := range r.checks {
		answers[i] = c.start(ctx)
	}
	report := Report{OK: true}
	for i, c := range r.checks {
		var res CheckResult
		select {
		case res = <-answers[i]:
		case <-ctx.Done():
			select {
			case res = <-answers[i]: // it came at the last moment
			default:
				res = CheckResult{Name: c.name, Err: ctx.Err(), Took: r.timeout}
			}
		}
		res.Aside = c.aside
		report.OK = report.OK && (res.Err == nil || c.aside)
		report.Checks = append(report.Checks, res)
	}
	report.At = time.Now()
	r.last = report
	return report
}

// start runs the check beside the caller. A check that ignores its deadline is
// not started again before it came back, so at most one goroutine hangs on it.
func (c *check) start(ctx context.Context) chan CheckResult {
	out := make(chan CheckResult, 1)
	if !c.busy.CompareAndSwap(false, true) {
		out <- CheckResult{Name: c.name, Err: errStillRunning}
		return out
	}
	go func() {
		begin := time.Now()
		res := CheckResult{Name: c.name, Err: errPanicked}
		defer func() {
			_ = recover()
			res.Took = time.Since(begin)
			c.busy.Store(false)
			out <- res
		}()
		res.Err = c.run(ctx)
	}()
	return out
}

func (r *Readiness) drain() { r.draining.Store(true) }

// Draining reports whether the server was told to stop.
func (r *Readiness) Draining() bool { return r.draining.Load() }

func (s *Server) readyHandler(c echo.Context) error {
	if s.ready.Draining() {
		return answer(c, http.StatusServiceUnavailable, status("draining"))
	}
	report := s.ready.Ask(c.Request().Context())
	code, a := http.StatusOK, statusAnswer{Status: "ok", Checks: map[string]string{}}
	if !report.OK {
		code, a.Status = http.StatusServiceUnavailable, "failed"
	}
	for _, res := range report.Checks {
		if res.Aside {
			continue // for the operator, not for the public
		}
		a.Checks[res.Name] = "ok"
		if res.Err != nil {
			a.Checks[res.Name] = "failed"
		}
	}
	return answer(c, code, a)
}

func (s *Server) startupHandler(c echo.Context) error {
	if !s.started.Load() {
		return answer(c, http.StatusServiceUnavailable, status("starting"))
	}
	return answer(c, http.StatusOK, status("ok"))
}
