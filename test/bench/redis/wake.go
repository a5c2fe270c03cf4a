package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/redisserver"
)

// wake measures in a process of its own, on the core of the measured process.
func (p plan) wake(ctx context.Context, redis *redisserver.Server) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", p.core, self, "-wakes", strconv.Itoa(p.wakes), "-wake", redis.URL())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

const (
	// wakePause lets the waiting store come to rest between two messages.
	wakePause = 4 * time.Millisecond
	wakeTime  = 10 * time.Second
)

// measureWake admits through one store and leases from another, which waits for it.
func measureWake(ctx context.Context, url string, n int) error {
	admits, err := redisstore.Open(ctx, redisstore.Options{URL: url})
	if err != nil {
		return err
	}
	defer admits.Close()
	leases, err := redisstore.Open(ctx, redisstore.Options{URL: url})
	if err != nil {
		return err
	}
	defer leases.Close()
	const known = 50 // the first messages of a person cost more, and are left out
	var fromCall, fromAck []time.Duration
	for i := range n + known {
		call, ack, err := wakeOnce(ctx, admits, leases, i, known)
		if err != nil {
			return err
		}
		if i >= known {
			fromCall, fromAck = append(fromCall, call), append(fromAck, ack)
		}
		if err := rig.Sleep(ctx, wakePause); err != nil {
			return err
		}
	}
	fmt.Printf("\nwake-up from admit to lease in another process, %d messages one at a time\n", n)
	fmt.Printf("  from the acknowledgement p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", ms(quantile(fromAck, 0.5)), ms(quantile(fromAck, 0.99)), ms(quantile(fromAck, 1)))
	fmt.Printf("  from the call of Admit   p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", ms(quantile(fromCall, 0.5)), ms(quantile(fromCall, 0.99)), ms(quantile(fromCall, 1)))
	return nil
}

// wakeOnce returns the time until the message was leased, from the call of Admit and
// from its return; the latter is negative when the lease was faster.
func wakeOnce(ctx context.Context, admits, leases *redisstore.Store, i, known int) (fromCall, fromAck time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	type leased struct {
		at  time.Time
		err error
	}
	got := make(chan leased, 1)
	go func() {
		work, err := leases.Lease(ctx)
		l := leased{at: time.Now(), err: err}
		if err == nil {
			var turn domain.Turn
			turn, l.err = domain.NewTurn(domain.TurnID(fmt.Sprintf("wake-%d", i)), work.Lease.Conversation, work.Pending, l.at)
			if l.err == nil {
				l.err = errors.Join(turn.Drop("measured"), leases.Finish(ctx, work.Lease, turn, work.Conversation))
			}
		}
		got <- l
	}()
	_ = rig.Sleep(ctx, time.Millisecond) // Lease waits by now, or else the delay only looks longer
	from := domain.Contact{Phone: domain.Phone(fmt.Sprintf("346001%05d", i%known))}
	called := time.Now()
	_, err = admits.Admit(ctx, []domain.Message{{
		ID: domain.MessageID(fmt.Sprintf("wamid.wake%d", i)), Number: rig.NumberID, From: from,
		SentAt: called.Truncate(time.Second), Content: domain.Text{Body: "How late are you open today?"},
	}})
	acked := time.Now()
	if err != nil {
		cancel()
	}
	l := <-got
	return l.at.Sub(called), l.at.Sub(acked), errors.Join(err, l.err)
}
