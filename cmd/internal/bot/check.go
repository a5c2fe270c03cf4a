package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"whatsappnode/adapters/pricing"
	"whatsappnode/adapters/settings"
)

// CheckOptions say how the configuration is checked.
type CheckOptions struct {
	// URL is the webhook's public address; empty leaves it out.
	URL string
	// JSON writes one JSON document in place of the table.
	JSON bool
	// Environ is the whole environment as os.Environ gives it, to find misspelt
	// variables in.
	Environ []string
	// Timeout is for each check by itself; zero means 10 s.
	Timeout time.Duration
}

const (
	checkTimeout = 10 * time.Second
	// checksAtOnce bounds what runs side by side; an agents file can name hundreds of
	// numbers.
	checksAtOnce = 16
)

// ErrCheckFailed says that the settings can be read and something does not work.
var ErrCheckFailed = errors.New("not everything works")

// Check tries everything that is configured, writes what it found, and returns nil
// when all of it works, ErrSettings when the settings are wrong and ErrCheckFailed
// otherwise. After a fault it goes on with what can still be tried. It sends no
// message to anybody. What the vendors charge for it is in its answer.
func Check(ctx context.Context, getenv settings.Getenv, stdout io.Writer, opt CheckOptions) (err error) {
	if opt.Timeout <= 0 {
		opt.Timeout = checkTimeout
	}
	prices, err := pricing.BuiltIn()
	if err != nil {
		return err
	}
	c := &checker{opt: opt, prices: prices, now: time.Now()}
	if err := c.prepare(getenv); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.shop.Close()) }()

	r := report{Version: Version, Checks: c.settings()}
	r.Checks = append(r.Checks, c.runAll(ctx)...)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	r.Turns = c.turns()
	r.judge(len(c.faults) > 0)
	if err := r.write(stdout, opt.JSON); err != nil {
		return err
	}
	switch r.ExitCode {
	case exitSettings:
		return fmt.Errorf("check: %w", ErrSettings)
	case exitFailed:
		return fmt.Errorf("check: %w", ErrCheckFailed)
	}
	return nil
}

// checker holds what the checks need.
type checker struct {
	opt    CheckOptions
	prices *pricing.List
	now    time.Time
	cfg    Config
	shop   *workshop
	all    agents
	tools  toolServers
	faults []error // of the settings
}

// prepare reads the settings as Run does and keeps what it gets, faulty or not.
func (c *checker) prepare(getenv settings.Getenv) error {
	cfg, faults := load(getenv, "")
	shop, fault := newWorkshop(cfg, &watch{})
	if fault != nil {
		faults = append(faults, fault)
		// The vendors are tried one by one here: any breaker will do.
		cfg.Vendors.Failover.BreakerFailures, cfg.Vendors.Failover.BreakerWindow = 0, 0
		if shop, fault = newWorkshop(cfg, &watch{}); fault != nil {
			return settingsError(append(faults, fault))
		}
	}
	all, more := assemble(cfg, getenv, shop.choose)
	more = append(more, shop.allow(all)...)
	tools, wrong := openTools(cfg, getenv, all, &watch{})
	c.cfg, c.shop, c.all, c.tools, c.faults = cfg, shop, all, tools, slices.Concat(faults, more, wrong)
	return nil
}

// task is one check, or several that follow each other.
type task func(ctx context.Context) []finding

// runAll does the checks side by side. The findings are in the order of the tasks.
func (c *checker) runAll(ctx context.Context) []finding {
	tasks := slices.Concat([]task{c.storeAndWebhook}, c.publicWebhook(), c.graph(), c.vendors())
	found := make([][]finding, len(tasks))
	var g errgroup.Group
	g.SetLimit(checksAtOnce)
	for i, t := range tasks {
		g.Go(func() error { found[i] = t(ctx); return nil })
	}
	_ = g.Wait() // no task returns an error
	return slices.Concat(found...)
}

// timed does one check within its deadline. A panic is a failure like any other; its
// value is not shown, since it may hold what nobody should read.
func (c *checker) timed(ctx context.Context, f finding, do func(ctx context.Context, f *finding)) finding {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	began := time.Now()
	func() {
		defer func() {
			if v := recover(); v != nil {
				f.fail(fmt.Sprintf("the check itself broke (%T)", v), "report this as a fault of the program")
			}
		}()
		do(ctx, &f)
	}()
	f.Took = time.Since(began)
	return f
}
