package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Lease implements ports.InboxPort. Waiting callers are served in their order. While
// Redis cannot be reached Lease fails with KindTransient instead of waiting on.
func (s *Store) Lease(ctx context.Context) (ports.Work, error) {
	if err := ports.FromContext(ctx, opName("lease")); err != nil {
		return ports.Work{}, err
	}
	if s.closed() {
		return ports.Work{}, storeErr(ctx, "lease", ErrClosed)
	}
	w := s.dispatch.wait()
	select {
	case got := <-w.to:
		return got.work, notOurs(ctx, got.err)
	case <-ctx.Done():
	case <-s.closing:
	}
	if !s.dispatch.leave(w) {
		if got := <-w.to; got.err == nil { // served at the same moment: give it back
			s.giveBack(got.work.Lease)
		}
	}
	return ports.Work{}, storeErr(ctx, "lease", ErrClosed)
}

// notOurs makes a claim's own deadline a trouble of the store: the caller's context
// did not end.
func notOurs(ctx context.Context, err error) error {
	if k := ports.KindOf(err); ctx.Err() == nil && (k == ports.KindTimeout || k == ports.KindCanceled) {
		err = errors.New("redis does not answer")
	}
	return storeErr(ctx, "lease", err)
}

// giveBackTime bounds the return of a lease that nobody received. If it fails the
// lease runs out.
const giveBackTime = 2 * time.Second

func (s *Store) giveBack(l ports.Lease) {
	ctx, cancel := context.WithTimeout(context.Background(), giveBackTime)
	defer cancel()
	_ = s.Release(ctx, l) // see giveBackTime
}

// underLease runs a script that checks a lease and answers how it went and the report
// of the head. Its arguments begin with the conversation and the token.
func (s *Store) underLease(ctx context.Context, op string, l ports.Lease, c call) error {
	out, err := s.askUnderLease(ctx, op, l, c)
	if err != nil {
		return err
	}
	if len(out) != 2 {
		return storeErr(ctx, op, errors.New("unexpected answer"))
	}
	if out[0] != "ok" {
		return invalid(op, errors.New("the turn's id is taken by another conversation"))
	}
	part, _ := s.home(string(l.Conversation)) // it is ours, or nobody had answered
	s.dispatch.learn(part, out[1])
	return nil
}

// askUnderLease is underLease for a script with an answer of its own, which begins
// with how it went; that is not "lost".
func (s *Store) askUnderLease(ctx context.Context, op string, l ports.Lease, c call) ([]string, error) {
	part, ok := s.home(string(l.Conversation))
	if !ok {
		return nil, lost(op)
	}
	c.part = part
	c.args = append([]string{string(l.Conversation), strconv.FormatInt(l.Token, 10)}, c.args...)
	msg, err := s.run(ctx, op, c)
	if err != nil {
		return nil, err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) == 0 {
		return nil, storeErr(ctx, op, errors.Join(err, errors.New("unexpected answer")))
	}
	if out[0] == "lost" {
		s.news.Remove(l)
		return nil, lost(op)
	}
	return out, nil
}

func lost(op string) error { return fmt.Errorf("%s: %w", opName(op), ports.ErrLeaseLost) }

// endLease is underLease for a script with which the lease ends.
func (s *Store) endLease(ctx context.Context, op string, l ports.Lease, c call) error {
	err := s.underLease(ctx, op, l, c)
	if err == nil {
		s.news.Remove(l)
	}
	return err
}

// Extend implements ports.InboxPort. It is not confirmed by replicas or disk: a lease
// that a failover shortens is lost, which every worker must expect anyway.
func (s *Store) Extend(ctx context.Context, lease ports.Lease) error {
	until := time.Now().Add(s.opt.LeaseTTL) // by the server's clock it is no earlier
	err := s.underLease(ctx, "extend", lease, call{sc: scExtend, args: []string{micros(s.opt.LeaseTTL)}, harmless: true})
	if err == nil {
		s.news.Extend(lease, until)
	}
	return err
}

// Pending implements ports.InboxPort. The script only reads, but it is called as one that
// may write, so it is the primary that answers, and nothing that was admitted is missing.
func (s *Store) Pending(ctx context.Context, lease ports.Lease) ([]domain.Message, error) {
	out, err := s.askUnderLease(ctx, "pending", lease, call{sc: scPending, args: []string{strconv.Itoa(ports.MaxPending)}, harmless: true})
	if err != nil {
		return nil, err
	}
	pending, err := s.readPending(out[1:])
	if err != nil {
		return nil, storeErr(ctx, "pending", err)
	}
	return pending, nil
}

// Release implements ports.InboxPort.
func (s *Store) Release(ctx context.Context, lease ports.Lease) error {
	return s.endLease(ctx, "release", lease, call{sc: scRelease, durable: true})
}

// Checkpoint implements ports.InboxPort.
func (s *Store) Checkpoint(ctx context.Context, lease ports.Lease, turn domain.Turn) error {
	t, err := s.prepareTurn("checkpoint", lease, turn)
	if err != nil {
		return err
	}
	if err := s.pointSends(ctx, "checkpoint", t); err != nil {
		return err
	}
	args := append([]string{t.id, t.data, flag(t.settled), flag(t.dead)}, t.sends()...)
	err = s.underLease(ctx, "checkpoint", lease, call{sc: scCheckpoint, args: args, durable: true, harmless: true})
	return s.orUnpoint(ctx, t, err)
}

// Defer implements ports.InboxPort. A status of an open turn that came after the
// lease was given makes the conversation due at once: the worker has not seen it.
func (s *Store) Defer(ctx context.Context, lease ports.Lease, turn *domain.Turn, after time.Duration) error {
	args := []string{strconv.FormatInt(lease.Cursor, 10), micros(max(0, after))}
	if turn == nil {
		return s.endLease(ctx, "defer", lease, call{sc: scDefer, args: append(args, ""), durable: true})
	}
	t, err := s.prepareTurn("defer", lease, *turn)
	if err != nil {
		return err
	}
	if err := s.pointSends(ctx, "defer", t); err != nil {
		return err
	}
	args = append(args, t.id, t.data, flag(t.settled), flag(t.dead))
	err = s.endLease(ctx, "defer", lease, call{sc: scDefer, args: append(args, t.sends()...), durable: true})
	return s.orUnpoint(ctx, t, err)
}

// Finish implements ports.InboxPort. A turn that is not settled is KindInvalid:
// work would be left and nothing would make it due.
func (s *Store) Finish(ctx context.Context, lease ports.Lease, turn domain.Turn, conv domain.Conversation) error {
	t, err := s.prepareTurn("finish", lease, turn)
	if err != nil {
		return err
	}
	memory, err := s.encodeMemory(lease, t, conv)
	if err != nil {
		return err
	}
	if err := s.pointSends(ctx, "finish", t); err != nil {
		return err
	}
	sends := t.sends()
	args := append([]string{
		strconv.FormatInt(lease.Cursor, 10), memory, t.id, t.data, flag(t.dead),
		micros(s.opt.Retention.Turns), micros(s.opt.Retention.DeadLetters), strconv.Itoa(len(sends)), micros(s.opt.Retention.History),
	}, sends...)
	err = s.endLease(ctx, "finish", lease, call{sc: scFinish, args: append(args, t.inputs...), durable: true})
	return s.orUnpoint(ctx, t, err)
}
