package googlespeech

import (
	"context"
	"errors"
	"io"
	"time"
)

// The ways in which a stream fails without an error of the service.
var (
	errCut  = errors.New("the stream ended before the whole clip was taken")
	errLong = errors.New("the answer is longer than a clip can be")
)

// talk is one stream. Sending and receiving may go on side by side.
type talk interface {
	// send errs when the stream is over; receive then tells why.
	send(sound []byte) error
	finish() error
	// receive blocks for the next results; io.EOF is the orderly end.
	receive() ([]part, error)
}

// stream sends the clip piece by piece while it takes the results.
func (s *STT) stream(ctx context.Context, q query) ([]part, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // frees the stream, whatever state it is in
	t, err := s.engine.open(ctx, q)
	if err != nil {
		return nil, err
	}
	sent := make(chan bool, 1)
	go func() { sent <- s.sendAll(ctx, t, q.clip) }()
	parts, err := receiveAll(t)
	cancel()
	whole := <-sent
	if err == nil && !whole {
		err = errCut
	}
	return parts, err
}

// sendAll reports whether the whole clip went out. It ends when ctx does.
func (s *STT) sendAll(ctx context.Context, t talk, c clip) bool {
	p := pacer{start: time.Now(), speed: s.plan.pace}
	gone := 0
	for _, piece := range c.pieces() {
		// Where in the clip the piece lies is estimated by its share of the bytes.
		at := time.Duration(float64(c.length) * float64(gone) / float64(len(c.data)))
		if p.wait(ctx, at) != nil || t.send(piece) != nil {
			return false
		}
		gone += len(piece)
	}
	return t.finish() == nil
}

func receiveAll(t talk) ([]part, error) {
	var all []part
	size := 0
	for {
		parts, err := t.receive()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			if size += len(p.text); size > maxWords {
				return nil, errLong
			}
		}
		all = append(all, parts...)
	}
}

// pacer lets sound pass at speed times real time.
type pacer struct {
	start time.Time
	speed float64
}

// wait blocks until the sound at that position may be sent.
func (p pacer) wait(ctx context.Context, at time.Duration) error {
	timer := time.NewTimer(time.Until(p.start.Add(time.Duration(float64(at) / p.speed))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
