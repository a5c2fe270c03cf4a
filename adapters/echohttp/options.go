package echohttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Webhook is what this package needs to know about Meta's webhook format. All
// methods may be called concurrently.
type Webhook interface {
	// Verify checks the X-Hub-Signature-256 header against the raw body. Any error
	// means that the request did not come from Meta.
	Verify(raw []byte, signature string) error
	// Decode reads a verified body. An error means that it is not JSON of the
	// expected shape; unknown fields and types are no error.
	Decode(raw []byte) (domain.Envelope, error)
	// Token reports whether a verification request carries the right token.
	Token(given string) bool
}

// Limits are the bounds of the public listener. A zero field means its default.
type Limits struct {
	// MaxBody is the largest body in bytes; 4 MiB. Meta's batches can reach 3 MB.
	MaxBody int64
	// MaxBodyMemory bounds in bytes what all bodies above 16 KiB hold together;
	// 64 MiB, or MaxBody if that is more. A request that does not fit gets 503.
	MaxBodyMemory int64
	// MaxConcurrent bounds the requests that are verified and stored at one time;
	// 256. The next one gets 503. A client that is still sending does not count.
	MaxConcurrent int
	// MaxConnections bounds open connections; 16384. Further ones wait in the
	// kernel's queue.
	MaxConnections int
	// IntakeTimeout is the time for one durable write; 5 s.
	IntakeTimeout time.Duration
	// ReadHeaderTimeout 5 s, ReadTimeout 10 s (header and body), WriteTimeout 15 s
	// (from the end of the header to the end of the answer), IdleTimeout 90 s.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// DrainDelay is how long a stopping server still takes requests while /ready
	// already says no, so that a balancer notices; 0.
	DrainDelay time.Duration
	// DrainTimeout is how long requests in flight may take to finish; 8 s, since
	// Cloud Run kills 10 s after the signal.
	DrainTimeout time.Duration
	// CheckTimeout bounds each readiness check, 2 s; CheckAge is how long an answer
	// is used again, 1 s.
	CheckTimeout, CheckAge time.Duration
}

// Options make a Server. Log is required. Without Webhook and Intake the server has
// the probes only, as a process has that takes no webhooks.
type Options struct {
	// Addr is where to listen, "host:port"; Listener is used instead when set.
	Addr     string
	Listener net.Listener
	Webhook  Webhook
	Intake   ports.IntakePort
	Log      *zap.Logger
	// Checks say whether the process can do its work; see Check.
	Checks map[string]Check
	// Asides are told to the operator beside the checks; one that fails leaves the
	// process ready.
	Asides map[string]Check
	Limits Limits
	// Around is put around all requests, to trace them for instance; LogFields are
	// added to the webhook's line, from the context that the request has by then. Nil
	// ones add nothing.
	Around    func(http.Handler) http.Handler
	LogFields func(ctx context.Context) []zap.Field
	// OnWebhook is told how each request to the webhook ended, and OnPanic of each
	// panic that was caught. They must return at once and may be called concurrently;
	// nil ones are not called.
	OnWebhook func(WebhookRequest)
	OnPanic   func()
}

// WebhookRequest is how a request to the webhook ended.
type WebhookRequest struct {
	Method string
	// Outcome is the word of the answer, as in the log.
	Outcome string
	Status  int
	Took    time.Duration
}

const (
	maxHeaderBytes = 16 << 10
	// firstRead is read of every body before any budget is asked; an ordinary
	// webhook is 1-3 KB.
	firstRead = 16 << 10
	// maxStreams bounds the concurrent requests of one HTTP/2 connection.
	maxStreams = 128
)

func (l Limits) withDefaults() (Limits, error) {
	def(&l.MaxBody, 4<<20)
	def(&l.MaxBodyMemory, max(64<<20, l.MaxBody))
	def(&l.MaxConcurrent, 256)
	def(&l.MaxConnections, 16384)
	def(&l.IntakeTimeout, 5*time.Second)
	def(&l.ReadHeaderTimeout, 5*time.Second)
	def(&l.ReadTimeout, 10*time.Second)
	def(&l.WriteTimeout, 15*time.Second)
	def(&l.IdleTimeout, 90*time.Second)
	def(&l.DrainTimeout, 8*time.Second)
	def(&l.CheckTimeout, 2*time.Second)
	def(&l.CheckAge, time.Second)
	for name, v := range map[string]int64{
		"MaxBody": l.MaxBody, "MaxBodyMemory": l.MaxBodyMemory, "MaxConcurrent": int64(l.MaxConcurrent),
		"MaxConnections": int64(l.MaxConnections), "IntakeTimeout": int64(l.IntakeTimeout),
		"ReadHeaderTimeout": int64(l.ReadHeaderTimeout), "ReadTimeout": int64(l.ReadTimeout),
		"WriteTimeout": int64(l.WriteTimeout), "IdleTimeout": int64(l.IdleTimeout),
		"DrainDelay": int64(l.DrainDelay), "DrainTimeout": int64(l.DrainTimeout),
		"CheckTimeout": int64(l.CheckTimeout), "CheckAge": int64(l.CheckAge),
	} {
		if v < 0 {
			return l, fmt.Errorf("echohttp: limit %s is negative", name)
		}
	}
	if l.MaxBodyMemory < l.MaxBody {
		return l, errors.New("echohttp: MaxBodyMemory is below MaxBody, so the largest body could never be read")
	}
	return l, nil
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) validate() error {
	switch {
	case (o.Webhook == nil) != (o.Intake == nil):
		return errors.New("echohttp: a webhook needs an intake, and an intake a webhook")
	case o.Log == nil:
		return errors.New("echohttp: no logger")
	case o.Addr == "" && o.Listener == nil:
		return errors.New("echohttp: no address to listen on")
	}
	return nil
}
