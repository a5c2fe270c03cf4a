package simulator

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

const userAgent = "facebookexternalua"

// maxAnswerKept is how much of the bot's answer the log keeps.
const maxAnswerKept = 1024

// post is one webhook POST: the same bytes until the bot answers 200.
type post struct {
	kind      string
	body      []byte
	updates   []update
	lanes     []string
	behind    int // lanes in which another post is still before this one
	attempt   int
	first     time.Time // of the first try
	duplicate bool
	twin      *post // a duplicate that goes out together with the first try
}

// outbox holds the webhooks on their way.
//
// A lane is a queue in which only the head is delivered: one per user for messages, one per message for statuses. A post
// may stand in several lanes (a batch) and goes out when it heads all of them. Posts without a lane go out at once.
type outbox struct {
	lanes    map[string][]*post
	ready    []*post
	timers   timerHeap
	timerSeq uint64
	flying   int
	queued   int
	batches  map[string]*batch
	sentIn   map[string]*post // for Redeliver: the post that carried a message
	sentIDs  *ring[string]
}

func newOutbox() outbox {
	return outbox{lanes: map[string][]*post{}, batches: map[string]*batch{}, sentIn: map[string]*post{}, sentIDs: newRing[string](maxRedeliveries)}
}

// timer is work for the delivery goroutine; do runs with the lock held.
type timer struct {
	at  time.Time
	seq uint64 // equal times run in the order they were set
	do  func()
}

type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)   { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	return last
}

// later runs do after a real-time delay; at once (but still on the delivery goroutine) when it is 0.
func (s *Simulator) later(d time.Duration, do func()) {
	s.timerSeq++
	heap.Push(&s.timers, timer{time.Now().Add(d), s.timerSeq, do})
	s.wakeLocked()
}

func (s *Simulator) wakeLocked() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run owns all timers and starts deliveries, at most Config.MaxInFlightWebhooks at a time.
func (s *Simulator) run(ctx context.Context) {
	defer s.running.Done()
	clock := time.NewTimer(0)
	defer clock.Stop()
	for {
		s.mu.Lock()
		for len(s.timers) > 0 && !s.timers[0].at.After(time.Now()) {
			heap.Pop(&s.timers).(timer).do()
		}
		for ctx.Err() == nil && s.hookURL != "" && len(s.ready) > 0 && s.flying < s.cfg.MaxInFlightWebhooks {
			p := s.ready[0]
			s.ready[0] = nil
			s.ready = s.ready[1:]
			s.flying++
			s.running.Add(1)
			go s.deliver(ctx, p, s.hookURL, s.roll(s.faults.BadSignaturePercent))
		}
		if len(s.timers) > 0 {
			clock.Reset(time.Until(s.timers[0].at))
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-clock.C:
		}
	}
}

// enqueue puts a post at the end of its lanes. The caller holds the lock.
func (s *Simulator) enqueue(p *post) {
	s.queued++
	for _, lane := range p.lanes {
		if len(s.lanes[lane]) > 0 {
			p.behind++
		}
		s.lanes[lane] = append(s.lanes[lane], p)
	}
	if p.behind == 0 {
		s.makeReady(p)
	}
}

func (s *Simulator) makeReady(p *post) {
	if twin := p.twin; twin != nil {
		p.twin = nil
		defer s.enqueue(twin)
	}
	wait := ms(s.faults.WebhookDelayMS) + s.retryWait(0)
	if wait > 0 {
		s.later(wait, func() { s.ready = append(s.ready, p) })
		return
	}
	s.ready = append(s.ready, p)
	s.wakeLocked()
}

func (s *Simulator) retryWait(attempt int) time.Duration {
	return s.cfg.RetrySchedule[min(attempt, len(s.cfg.RetrySchedule)-1)]
}

// deliver makes one try and decides what happens next.
func (s *Simulator) deliver(ctx context.Context, p *post, url string, forge bool) {
	defer s.running.Done()
	start := time.Now()
	if p.first.IsZero() {
		p.first = start
	}
	p.attempt++
	signature := Sign(s.cfg.AppSecret, p.body)
	if forge {
		signature = Sign(s.cfg.AppSecret+" forged", p.body)
	}
	status, answer, err := s.postWebhook(ctx, url, signature, p.body)
	e := Entry{Kind: LogWebhook, Webhook: p.kind, Attempt: p.attempt, HTTPStatus: status, Answer: string(answer), TookMS: took(start)}
	for _, u := range p.updates {
		if u.id != "" {
			e.IDs = append(e.IDs, u.id)
		}
	}
	if len(p.updates) > 0 {
		e.User = p.updates[0].user
	}
	if err != nil {
		e.Reason = err.Error()
	}
	if forge {
		e.Flags = append(e.Flags, "bad_signature")
	}
	if p.duplicate {
		e.Flags = append(e.Flags, "duplicate")
	}
	s.note(e)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying--
	s.counts.WebhookTries++
	s.events.publish("webhook", obj("at", s.nowMS(), "status", status, "attempt", p.attempt, "kind", p.kind, "count", max(len(p.updates), 1)))
	switch wait := s.retryWait(p.attempt); {
	case status == http.StatusOK && !forge:
		s.counts.WebhookOK++
		s.finish(p, true)
	case ctx.Err() != nil: // the simulator ends
	case time.Since(p.first)+wait > s.cfg.RetryFor:
		s.note(Entry{Kind: LogWebhookDropped, Webhook: p.kind, Attempt: p.attempt, IDs: e.IDs, User: e.User})
		s.finish(p, false)
	default:
		s.later(wait, func() { s.ready = append(s.ready, p) })
	}
	s.changedLocked()
	s.wakeLocked()
}

// postWebhook returns the status and the first bytes of the answer; status 0 when there was none.
func (s *Simulator) postWebhook(ctx context.Context, url, signature string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WebhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("post webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-Hub-Signature-256", signature)
	resp, err := s.hook.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("post webhook: %w", err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerKept)) // the status alone decides
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)                    // so that the connection can be used again
	return resp.StatusCode, answer, nil
}

// finish takes a post off its lanes and lets the next ones go. The caller holds the lock.
func (s *Simulator) finish(p *post, ok bool) {
	s.queued--
	s.counts.Pending -= len(p.updates)
	for _, u := range p.updates {
		if u.acked != nil && !p.duplicate {
			u.acked(ok)
		}
	}
	for _, lane := range p.lanes {
		rest := s.lanes[lane][1:]
		if len(rest) == 0 {
			delete(s.lanes, lane)
			continue
		}
		s.lanes[lane] = rest
		if rest[0].behind--; rest[0].behind == 0 {
			s.makeReady(rest[0])
		}
	}
}

// Post signs a body of the caller's making and posts it once, outside of all queues.
func (s *Simulator) Post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	s.mu.Lock()
	url := s.hookURL
	s.mu.Unlock()
	return s.postWebhook(ctx, url, Sign(s.cfg.AppSecret, body), body)
}
