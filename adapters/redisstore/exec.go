package redisstore

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/ports"
)

const (
	// callBudget bounds every call, whatever the caller allows.
	callBudget = 10 * time.Second
	// againFirst and againLast are the pauses between attempts of a call that the
	// server did not execute.
	againFirst = 2 * time.Millisecond
	againLast  = 200 * time.Millisecond
)

// call is one run of a script in one partition.
type call struct {
	sc   *script
	part int
	args []string
	// durable waits for confirmation as Options.Ack says.
	durable bool
	// harmless marks a call whose repeat changes nothing.
	harmless bool
}

// run makes one call within the caller's time and the budget. It repeats it while
// the server says that it did nothing.
func (s *Store) run(ctx context.Context, op string, c call) (rueidis.RedisMessage, error) {
	var msg rueidis.RedisMessage
	err := s.attempt(ctx, op, c.harmless, func(ctx context.Context) error {
		var err error
		msg, err = s.once(ctx, c)
		return err
	})
	return msg, err
}

// do makes one plain command of one key.
func (s *Store) do(ctx context.Context, op string, harmless bool, build func(b rueidis.Builder) rueidis.Completed) (rueidis.RedisMessage, error) {
	var msg rueidis.RedisMessage
	err := s.attempt(ctx, op, harmless, func(ctx context.Context) error {
		var err error
		msg, err = s.client.Do(ctx, build(s.client.B())).ToMessage()
		return err
	})
	return msg, err
}

func (s *Store) attempt(ctx context.Context, op string, harmless bool, fn func(ctx context.Context) error) error {
	if err := ports.FromContext(ctx, opName(op)); err != nil {
		return err
	}
	inner := ctx
	if until, bounded := ctx.Deadline(); !bounded || time.Until(until) > callBudget {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeout(ctx, callBudget)
		defer cancel()
	}
	pause := againFirst
	for {
		err := safely(func() error { return fn(inner) })
		if err == nil || rueidis.IsRedisNil(err) {
			return nil
		}
		if s.closed() {
			return storeErr(ctx, op, ErrClosed)
		}
		if !again(err, harmless) || !sleep(inner, pause/2+rand.N(pause)) { // #nosec G404 -- it spreads retries, it keeps no secret
			return storeErr(ctx, op, err)
		}
		pause = min(2*pause, againLast)
	}
}

// safely turns a panic of the client into an error. It panics when keys of two
// slots meet in one call, which the layout of the keys rules out.
func safely(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ports.Panicked(p)
		}
	}()
	return fn()
}

// sleep waits and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// once makes one attempt. Confirmation belongs to the connection that wrote, so a
// durable call takes a connection for itself and sends WAIT behind the script.
func (s *Store) once(ctx context.Context, c call) (rueidis.RedisMessage, error) {
	if !c.durable || s.confirm == nil {
		msg, err := s.client.Do(ctx, s.command(s.client.B(), c, false)).ToMessage()
		if codeOf(err) == "NOSCRIPT" {
			msg, err = s.client.Do(ctx, s.command(s.client.B(), c, true)).ToMessage()
		}
		return msg, err
	}
	var msg rueidis.RedisMessage
	err := s.client.Dedicated(func(conn rueidis.DedicatedClient) error {
		var err error
		msg, err = s.confirmed(ctx, conn, c, false)
		if codeOf(err) == "NOSCRIPT" {
			msg, err = s.confirmed(ctx, conn, c, true)
		}
		return err
	})
	return msg, err
}

func (s *Store) confirmed(ctx context.Context, conn rueidis.DedicatedClient, c call, withText bool) (rueidis.RedisMessage, error) {
	out := conn.DoMulti(ctx, s.command(conn.B(), c, withText), s.confirm.command(conn.B(), s.opt.AckTimeout))
	msg, err := out[0].ToMessage()
	if err != nil {
		return msg, err
	}
	return msg, s.confirm.check(out[1])
}

func (s *Store) command(b rueidis.Builder, c call, withText bool) rueidis.Completed {
	confirm := "0"
	if c.durable && s.confirm != nil {
		confirm = "1"
	}
	args := make([]string, 0, 4+len(c.args))
	args = append(args, s.channel, strconv.Itoa(c.part), s.instance, confirm)
	args = append(args, c.args...)
	if withText {
		return b.Eval().Script(c.sc.text).Numkeys(1).Key(s.base(c.part)).Arg(args...).Build()
	}
	return b.Evalsha().Sha1(c.sc.sha).Numkeys(1).Key(s.base(c.part)).Arg(args...).Build()
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
