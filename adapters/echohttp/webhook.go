package echohttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"whatsappnode/ports"
)

const (
	// WebhookPath is where Meta delivers.
	WebhookPath     = "/webhook"
	signatureHeader = "X-Hub-Signature-256"
	// maxChallenge bounds what is echoed; Meta's challenge is a number of about ten
	// digits.
	maxChallenge = 256

	retryStore = 5 * time.Second
	retryBusy  = time.Second
	maxRetry   = time.Minute
)

type webhookHandler struct {
	format   Webhook
	intake   ports.IntakePort
	counters *counters
	limits   Limits
	slots    *semaphore.Weighted
	memory   *semaphore.Weighted
}

// verify answers Meta's subscription request with its challenge (Meta, "Webhooks:
// Getting started").
func (h *webhookHandler) verify(c echo.Context) error {
	challenge := c.QueryParam("hub.challenge")
	switch {
	case c.QueryParam("hub.mode") != "subscribe",
		!h.format.Token(c.QueryParam("hub.verify_token")),
		challenge == "", len(challenge) > maxChallenge:
		return &refusal{status: http.StatusForbidden, word: "forbidden"}
	}
	noteOf(c).outcome = "verified"
	return c.Blob(http.StatusOK, echo.MIMETextPlainCharsetUTF8, []byte(challenge))
}

// receive takes one webhook POST. The order is the point: cap, read, signature,
// decode, store, and only then 200.
func (h *webhookHandler) receive(c echo.Context) error {
	n := noteOf(c)
	raw, release, err := h.read(c.Request())
	defer release()
	n.bytes = len(raw)
	if err != nil {
		return err
	}
	if !h.slots.TryAcquire(1) {
		return &refusal{status: http.StatusServiceUnavailable, word: "busy", retry: retryBusy}
	}
	defer h.slots.Release(1)

	if err := h.format.Verify(raw, c.Request().Header.Get(signatureHeader)); err != nil {
		return &refusal{status: http.StatusUnauthorized, word: "bad_signature", cause: err}
	}
	env, err := h.format.Decode(raw)
	if err != nil {
		return &refusal{status: http.StatusBadRequest, word: "bad_json", cause: err}
	}
	n.messages, n.statuses, n.others = len(env.Messages), len(env.Statuses), env.Others

	ctx, cancel := context.WithTimeout(c.Request().Context(), h.limits.IntakeTimeout)
	defer cancel()
	receipt, err := h.intake.Receive(ctx, env)
	if err != nil {
		retry := min(ports.RetryAfter(err), maxRetry)
		if retry <= 0 {
			retry = retryStore
		}
		return &refusal{status: http.StatusServiceUnavailable, word: "unavailable", cause: err, retry: retry}
	}
	body := answerTo(receipt)
	n.outcome = body.Status
	h.counters.received(receipt)
	h.counters.others.Add(int64(len(env.Others)))
	return answer(c, http.StatusOK, body)
}

// read returns the whole raw body within the limits. The first 16 KiB are free;
// what exceeds them is taken from the memory budget until release is called.
func (h *webhookHandler) read(r *http.Request) (raw []byte, release func(), err error) {
	release = func() {}
	tooLarge := &refusal{status: http.StatusRequestEntityTooLarge, word: "too_large", unread: true}
	if r.ContentLength > h.limits.MaxBody {
		return nil, release, tooLarge
	}
	var buf bytes.Buffer
	first := min(firstRead, h.limits.MaxBody)
	switch _, err := io.CopyN(&buf, r.Body, first); {
	case errors.Is(err, io.EOF):
		return buf.Bytes(), release, nil
	case err != nil:
		return nil, release, unreadable(err)
	case r.ContentLength == first:
		return buf.Bytes(), release, nil
	}

	weight := h.limits.MaxBody // chunked: nobody knows how much comes
	if r.ContentLength >= 0 {
		weight = r.ContentLength
	}
	if !h.memory.TryAcquire(weight) {
		return nil, release, &refusal{status: http.StatusServiceUnavailable, word: "busy", retry: retryBusy, unread: true}
	}
	release = func() { h.memory.Release(weight) }
	if r.ContentLength >= 0 {
		buf.Grow(int(weight-first) + bytes.MinRead) // one allocation, no doubling
	}
	if _, err := buf.ReadFrom(io.LimitReader(r.Body, h.limits.MaxBody-first+1)); err != nil {
		return nil, release, unreadable(err)
	}
	if int64(buf.Len()) > h.limits.MaxBody {
		return nil, release, tooLarge
	}
	return buf.Bytes(), release, nil
}

func unreadable(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{status: http.StatusRequestTimeout, word: "timeout", cause: err, unread: true}
	}
	return &refusal{status: http.StatusBadRequest, word: "unreadable", cause: err, unread: true}
}
