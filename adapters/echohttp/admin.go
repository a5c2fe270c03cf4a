package echohttp

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"go.uber.org/zap"
)

// AdminOptions make an Admin. Readiness and Log are required.
type AdminOptions struct {
	// Addr is where to listen; it belongs on loopback or a private network, since
	// the admin listener asks nobody for a password. Listener is used instead when
	// set.
	Addr      string
	Listener  net.Listener
	Readiness *Readiness
	Log       *zap.Logger
	// DrainTimeout is how long requests in flight may take at the end; 2 s.
	DrainTimeout time.Duration
}

// Admin is the operator's listener: probes with detail, profiles, and what Handle adds.
type Admin struct {
	serving
	mux *http.ServeMux
}

// NewAdmin makes an admin server that does not listen yet.
func NewAdmin(o AdminOptions) (*Admin, error) {
	switch {
	case o.Readiness == nil:
		return nil, errors.New("echohttp: admin without readiness")
	case o.Log == nil:
		return nil, errors.New("echohttp: admin without logger")
	case o.Addr == "" && o.Listener == nil:
		return nil, errors.New("echohttp: admin has no address to listen on")
	}
	def(&o.DrainTimeout, 2*time.Second)
	a := &Admin{mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) {
		adminAnswer(w, http.StatusOK, status("ok"))
	})
	a.mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		detail, code := detailOf(o.Readiness, r)
		adminAnswer(w, code, detail)
	})
	a.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	a.mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	a.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	a.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	a.mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	a.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	a.serving = serving{
		name: "admin", addr: o.Addr, listener: o.Listener,
		maxConnections: 64, drainTimeout: o.DrainTimeout, onDrain: func() {},
		server: &http.Server{
			Handler:           a.mux,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      2 * time.Minute, // a CPU profile takes 30 s by default
			IdleTimeout:       90 * time.Second,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          quietLog(o.Log),
		},
	}
	return a, nil
}

// Handle adds a route, such as "GET /metrics". It must be called before Run.
func (a *Admin) Handle(pattern string, h http.Handler) { a.mux.Handle(pattern, h) }

type adminReady struct {
	Status string       `json:"status"`
	Age    int64        `json:"age_ms"`
	Checks []adminCheck `json:"checks"`
}

type adminCheck struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Took  int64  `json:"took_ms"`
	Error string `json:"error,omitempty"`
}

func detailOf(ready *Readiness, r *http.Request) (adminReady, int) {
	report := ready.Ask(r.Context())
	out, code := adminReady{Status: "ok", Age: time.Since(report.At).Milliseconds(), Checks: []adminCheck{}}, http.StatusOK
	switch {
	case ready.Draining():
		out.Status, code = "draining", http.StatusServiceUnavailable
	case !report.OK:
		out.Status, code = "failed", http.StatusServiceUnavailable
	}
	for _, res := range report.Checks {
		line := adminCheck{Name: res.Name, OK: res.Err == nil, Took: res.Took.Milliseconds()}
		if res.Err != nil {
			line.Error = res.Err.Error()
		}
		out.Checks = append(out.Checks, line)
	}
	return out, code
}

func adminAnswer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}
