package echohttp

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"
)

// Server is the public listener. Make it with New, start it with Run.
type Server struct {
	serving
	webhook  webhookHandler
	counters counters
	ready    *Readiness
	log      *zap.Logger
	started  atomic.Bool

	logFields func(ctx context.Context) []zap.Field
	onWebhook func(WebhookRequest)
	onPanic   func()
}

// New makes a server that does not listen yet.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	limits, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	ready, err := NewReadiness(o.Checks, limits.CheckTimeout, limits.CheckAge)
	if err != nil {
		return nil, err
	}
	if err := ready.tellAside(o.Asides); err != nil {
		return nil, err
	}
	s := &Server{ready: ready, log: o.Log, logFields: o.LogFields, onWebhook: o.OnWebhook, onPanic: o.OnPanic}
	s.webhook = webhookHandler{
		format: o.Webhook, intake: o.Intake, counters: &s.counters, limits: limits,
		slots:  semaphore.NewWeighted(int64(limits.MaxConcurrent)),
		memory: semaphore.NewWeighted(limits.MaxBodyMemory),
	}
	s.serving = serving{
		name: "public", addr: o.Addr, listener: o.Listener,
		maxConnections: limits.MaxConnections,
		drainDelay:     limits.DrainDelay, drainTimeout: limits.DrainTimeout,
		onDrain: ready.drain,
		server: &http.Server{
			Handler:           onDecodedPath(around(o.Around, s.routes())),
			ReadHeaderTimeout: limits.ReadHeaderTimeout,
			ReadTimeout:       limits.ReadTimeout,
			WriteTimeout:      limits.WriteTimeout,
			IdleTimeout:       limits.IdleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			Protocols:         protocols(),
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
			ErrorLog:          quietLog(o.Log),
		},
	}
	return s, nil
}

// Started says that the program is assembled; /startup answers 200 from then on.
func (s *Server) Started() { s.started.Store(true) }

// Readiness is what /ready answers from, for NewAdmin.
func (s *Server) Readiness() *Readiness { return s.ready }

// Counters reads how requests ended so far.
func (s *Server) Counters() Snapshot { return s.counters.snapshot() }

func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // everything worth a line goes through zap
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.refuse
	e.Use(s.edge)

	if s.webhook.intake != nil {
		e.GET(WebhookPath, s.webhook.verify)
		e.POST(WebhookPath, s.webhook.receive)
		e.OPTIONS(WebhookPath, notAllowed("GET, POST"))
	}
	for path, handler := range map[string]echo.HandlerFunc{
		"/live":    func(c echo.Context) error { return answer(c, http.StatusOK, status("ok")) },
		"/ready":   s.readyHandler,
		"/startup": s.startupHandler,
	} {
		e.GET(path, handler)
		e.HEAD(path, handler)
		e.OPTIONS(path, notAllowed("GET, HEAD"))
	}
	return e
}

// notAllowed answers OPTIONS like any other method that has no meaning here; Echo
// alone would answer 204.
func notAllowed(allow string) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderAllow, allow)
		return echo.ErrMethodNotAllowed
	}
}

func around(wrap func(http.Handler) http.Handler, h http.Handler) http.Handler {
	if wrap == nil {
		return h
	}
	return wrap(h)
}

// onDecodedPath routes on the decoded path: Cloud Run decodes paths on the way,
// other fronts do not, and both must find the same route.
func onDecodedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawPath = ""
		next.ServeHTTP(w, r)
	})
}

// protocols allows HTTP/1 and HTTP/2 without TLS, the two that Cloud Run speaks
// to a container (Cloud Run, "Container runtime contract").
func protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}
