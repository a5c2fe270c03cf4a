package porttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Store is one store with its three ports. They are tested together, because
// that they agree at every moment is what they promise.
type Store interface {
	ports.DedupPort
	ports.InboxPort
	ports.ConversationPort
}

// StoreHarness says how to make a store and how to put it to the test.
type StoreHarness struct {
	// New makes an empty store, which t's cleanup closes. Its leases last at least
	// ten Units.
	New func(t *testing.T) Store
	// Advance lets d pass: by moving the store's clock, by sleeping in a bubble, or
	// by sleeping. It may skip the test when d is longer than it can wait; the
	// longest is nine days.
	Advance func(t *testing.T, d time.Duration)
	// Unit is the shortest wait of the suite: far more than the store needs for any
	// call, since "due at once" is taken to mean "within half a Unit". One second
	// when zero.
	Unit time.Duration
	// Reopen closes the store and opens it again with what it kept; it makes New's
	// cleanup close the new one. Nil skips the cases about durability.
	Reopen func(t *testing.T, s Store) Store
	// Another opens a second store on what s keeps, as another process does, which t's
	// cleanup closes. Nil skips the cases about that, for a store of one process.
	Another func(t *testing.T, s Store) Store
	// Silent is true for a store whose Work.News is nil; it skips the cases about news.
	Silent bool
	// Break makes every write fail, as a full disk does, until mend is called. Nil
	// skips the cases about failure.
	Break func(t *testing.T, s Store) (mend func())
	// Dead returns the dead letters with the messages kept of each. Nil skips.
	Dead func(t *testing.T, s Store) []DeadLetter
	// Wrap runs a case, in a testing/synctest bubble for instance; nil runs it plain.
	Wrap func(t *testing.T, fn func(t *testing.T))
}

// The harnesses of the three suites are one: each case needs all ports.
type (
	// DedupHarness is what TestDedup needs.
	DedupHarness = StoreHarness
	// InboxHarness is what TestInbox needs.
	InboxHarness = StoreHarness
	// ConversationHarness is what TestConversation needs.
	ConversationHarness = StoreHarness
)

// DeadLetter is a turn that was given up, as an operator sees it.
type DeadLetter struct {
	Turn     domain.TurnID
	Reason   string
	Messages []domain.MessageID
}

// storeCase is one case under way.
type storeCase struct {
	*testing.T
	h   StoreHarness
	s   Store
	ctx context.Context
}

func (h StoreHarness) run(t *testing.T, cases map[string]func(c *storeCase)) {
	if h.Unit == 0 {
		h.Unit = time.Second
	}
	for name, fn := range cases {
		t.Run(name, func(t *testing.T) {
			body := func(t *testing.T) { fn(&storeCase{T: t, h: h, s: h.New(t), ctx: t.Context()}) }
			if h.Wrap != nil {
				h.Wrap(t, body)
			} else {
				body(t)
			}
		})
	}
}

// storeTime is Meta's timestamp of the suite's messages.
var storeTime = time.Date(2027, 3, 1, 9, 30, 0, 0, time.UTC)

// The people and numbers of the suite.
const (
	storeNumber = domain.NumberID("100200300")
	userA       = domain.UserID("ES.13491208655302740001")
	userB       = domain.UserID("ES.13491208655302740002")
	phoneA      = domain.Phone("34600111222")
	phoneB      = domain.Phone("34600333444")
)

func textFrom(id string, user domain.UserID, phone domain.Phone) domain.Message {
	return domain.Message{
		ID: domain.MessageID("wamid." + id), Number: storeNumber, From: domain.Contact{UserID: user, Phone: phone},
		SentAt: storeTime, Content: domain.Text{Body: "text of " + id},
	}
}

// textOfA is a message of user A.
func textOfA(id string) domain.Message { return textFrom(id, userA, phoneA) }

// textOf is a message of the n-th of many users.
func textOf(n int, id string) domain.Message {
	return textFrom(id, domain.UserID(fmt.Sprintf("ES.9%09d", n)), "")
}

func withHold(m domain.Message, d time.Duration) domain.Message {
	m.Hold = d
	return m
}

func (c *storeCase) units(n int) time.Duration { return time.Duration(n) * c.h.Unit }
func (c *storeCase) advance(d time.Duration)   { c.Helper(); c.h.Advance(c.T, d) }

func (c *storeCase) admit(batch ...domain.Message) []ports.Admission {
	c.Helper()
	out, err := c.s.Admit(c.ctx, batch)
	require.NoError(c, err)
	require.Len(c, out, len(batch), "one answer for each message")
	for i, a := range out {
		require.Equal(c, batch[i].ID, a.Message, "answers come in the order of the batch")
		require.NotEmpty(c, a.Conversation)
	}
	return out
}

// admitNew admits one message that must be new, and returns its conversation.
func (c *storeCase) admitNew(m domain.Message) domain.ConversationID {
	c.Helper()
	a := c.admit(m)[0]
	require.True(c, a.New, "%s must be new", m.ID)
	return a.Conversation
}

// lease takes a conversation that must be due now. The time is for machines that are
// busy elsewhere; it stays below a lease's, or one that ran out would pass for due.
func (c *storeCase) lease() ports.Work {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, c.units(4))
	defer cancel()
	w, err := c.s.Lease(ctx)
	require.NoError(c, err, "a conversation must be due")
	require.Equal(c, w.Lease.Conversation, w.Conversation.ID())
	require.Positive(c, w.Lease.TTL)
	return w
}

// notDue demands that no conversation is due now.
func (c *storeCase) notDue(msg string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, c.h.Unit/10)
	defer cancel()
	w, err := c.s.Lease(ctx)
	require.ErrorIs(c, err, context.DeadlineExceeded, "%s (got %d pending, %d open)", msg, len(w.Pending), len(w.Open))
}

// newTurn opens a turn over messages of the work.
func (c *storeCase) newTurn(id domain.TurnID, w ports.Work, inputs ...domain.Message) domain.Turn {
	c.Helper()
	t, err := domain.NewTurn(id, w.Lease.Conversation, inputs, storeTime)
	require.NoError(c, err)
	return t
}

// intended brings a new turn to the moment before its only part is sent.
func (c *storeCase) intended(id domain.TurnID, w ports.Work, inputs ...domain.Message) domain.Turn {
	c.Helper()
	t := c.newTurn(id, w, inputs...)
	require.NoError(c, t.Hear(inputs[0].ID, domain.Transcript{Text: "words", Language: "en", Confidence: 0.5}))
	require.NoError(c, t.Answer(domain.Reply{Text: "answer of " + string(id), Language: "en"}))
	require.NoError(c, t.Plan([]domain.Part{{Kind: domain.PartVoice, Text: "answer", Media: "media.1"}}))
	require.NoError(c, t.Intend(0, storeTime))
	return t
}

// sent brings a new turn to where its only part was accepted under wamid.
func (c *storeCase) sent(id domain.TurnID, wamid domain.MessageID, w ports.Work, inputs ...domain.Message) domain.Turn {
	c.Helper()
	t := c.intended(id, w, inputs...)
	require.NoError(c, t.Accepted(0, wamid))
	return t
}

// dropped is a turn that needs no answer.
func (c *storeCase) dropped(id domain.TurnID, w ports.Work, inputs ...domain.Message) domain.Turn {
	c.Helper()
	t := c.newTurn(id, w, inputs...)
	require.NoError(c, t.Drop("test"))
	return t
}

func (c *storeCase) checkpoint(w ports.Work, t domain.Turn) {
	c.Helper()
	require.NoError(c, c.s.Checkpoint(c.ctx, w.Lease, t))
}

func (c *storeCase) finish(w ports.Work, t domain.Turn) {
	c.Helper()
	require.NoError(c, c.s.Finish(c.ctx, w.Lease, t, w.Conversation))
}

// finishSent runs one message of user A through a whole turn that sends one part.
func (c *storeCase) finishSent(id domain.TurnID, wamid domain.MessageID) domain.Turn {
	c.Helper()
	c.admitNew(textOfA("for " + string(id)))
	w := c.lease()
	t := c.sent(id, wamid, w, w.Pending...)
	c.finish(w, t)
	return t
}

func (c *storeCase) observe(statuses ...domain.Status) []ports.Observation {
	c.Helper()
	out, err := c.s.Observe(c.ctx, statuses)
	require.NoError(c, err)
	require.Len(c, out, len(statuses), "one answer for each status")
	return out
}

func (c *storeCase) turns(conv domain.ConversationID, limit int) []domain.Turn {
	c.Helper()
	out, err := c.s.Turns(c.ctx, conv, limit)
	require.NoError(c, err)
	return out
}

// newest returns the newest turn of a conversation, which must have one.
func (c *storeCase) newest(conv domain.ConversationID) domain.Turn {
	c.Helper()
	turns := c.turns(conv, 1)
	require.Len(c, turns, 1)
	return turns[0]
}

func (c *storeCase) reopen() {
	c.Helper()
	if c.h.Reopen == nil {
		c.Skip("the harness cannot reopen this store")
	}
	c.s = c.h.Reopen(c.T, c.s)
}

func (c *storeCase) breakStore() (mend func()) {
	c.Helper()
	if c.h.Break == nil {
		c.Skip("the harness cannot make this store fail")
	}
	return c.h.Break(c.T, c.s)
}

// lost demands that every call under the lease fails with ErrLeaseLost.
func (c *storeCase) lost(l ports.Lease, t domain.Turn, conv domain.Conversation) {
	c.Helper()
	for name, call := range map[string]func() error{
		"Extend":     func() error { return c.s.Extend(c.ctx, l) },
		"Checkpoint": func() error { return c.s.Checkpoint(c.ctx, l, t) },
		"Finish":     func() error { return c.s.Finish(c.ctx, l, t, conv) },
		"Defer":      func() error { return c.s.Defer(c.ctx, l, &t, 0) },
		"Release":    func() error { return c.s.Release(c.ctx, l) },
		"Pending":    func() error { _, err := c.s.Pending(c.ctx, l); return err },
	} {
		require.ErrorIs(c, call(), ports.ErrLeaseLost, name)
	}
}

// byRef is a status of part 0 of a turn that carries our reference.
func byRef(t domain.Turn, wamid domain.MessageID, state domain.DeliveryState) domain.Status {
	s := byWamid(wamid, state)
	s.Ref, s.HasRef = t.Ref(0), true
	return s
}

// byWamid is a status that carries the wamid alone.
func byWamid(wamid domain.MessageID, state domain.DeliveryState) domain.Status {
	s := domain.Status{
		Message: wamid, Number: storeNumber, Recipient: domain.Contact{UserID: userA}, State: state, At: storeTime,
		Pricing: &domain.Pricing{Category: "service", Type: "regular", Model: "PMP"},
	}
	if state == domain.DeliveryFailed {
		s.Failure = &domain.Failure{Code: 131053, Class: domain.FailMedia}
	}
	return s
}

func idsOf(messages []domain.Message) []domain.MessageID {
	out := make([]domain.MessageID, 0, len(messages))
	for _, m := range messages {
		out = append(out, m.ID)
	}
	return out
}

// atOnce runs fn n times at once, from behind a barrier, and waits for all.
func atOnce(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// errorList collects errors of goroutines, where a test must not fail at once.
type errorList struct {
	mu   sync.Mutex
	list []error
}

func (e *errorList) add(err error) {
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.list = append(e.list, err)
	}
}

func (e *errorList) err() error { return errors.Join(e.list...) }
