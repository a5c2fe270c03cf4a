package echohttp

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// refusal is an error that knows how it is answered. Word is all that the other
// side is told; cause is for the log.
type refusal struct {
	status int
	word   string
	cause  error
	// retry is sent as Retry-After when set.
	retry time.Duration
	// unread means that the body was left where it was, so that the connection
	// cannot be used again.
	unread bool
}

func (r *refusal) Error() string { return r.word }
func (r *refusal) Unwrap() error { return r.cause }

// note is what a handler leaves for the access log.
type note struct {
	outcome            string
	bytes              int
	messages, statuses int
	others             []domain.OtherEvent
}

const noteKey = "note"

func noteOf(c echo.Context) *note {
	n, _ := c.Get(noteKey).(*note)
	if n == nil {
		n = &note{}
		c.Set(noteKey, n)
	}
	return n
}

// edge surrounds every request: id, safe headers, recovery, one error form, and
// the access log of the webhook.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begin, id := time.Now(), requestID()
		h := c.Response().Header()
		h.Set(echo.HeaderXRequestID, id)
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderCacheControl, "no-store")
		if s.ready.Draining() {
			h.Set(echo.HeaderConnection, "close") // whoever keeps this connection would find it closed
		}

		err := s.guarded(c, next, id)
		if err != nil {
			s.refuse(err, c)
		}
		if c.Path() == WebhookPath {
			took := time.Since(begin)
			s.access(c, id, took, err)
			s.tell(c, took, err)
		}
		return nil
	}
}

// guarded calls the handler and turns a panic into an error.
func (s *Server) guarded(c echo.Context, next echo.HandlerFunc, id string) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v) // net/http's own way to cut a connection
		}
		s.counters.panics.Add(1)
		if s.onPanic != nil {
			s.onPanic()
		}
		text := panicText(v)
		fields := []zap.Field{zap.String("request_id", id), zap.String("stack_trace", "panic: "+text+"\n\n"+string(debug.Stack()))}
		if s.logFields != nil {
			fields = append(fields, s.logFields(c.Request().Context())...)
		}
		s.log.Error("panic in a request", fields...)
		err = &refusal{status: http.StatusInternalServerError, word: "internal"}
	}()
	return next(c)
}

// panicText describes a panic without repeating what might be personal data: the
// runtime's own texts and our errors are safe, anything else is named by type.
func panicText(v any) string {
	err, _ := v.(error)
	var ours *ports.Error
	var run runtime.Error
	if errors.As(err, &run) || errors.As(err, &ours) {
		return err.Error()
	}
	return fmt.Sprintf("%T", v)
}

// refuse writes the answer of an error; it has the form of an Echo error handler.
func (s *Server) refuse(err error, c echo.Context) {
	r := asRefusal(err)
	s.counters.refused(r.word)
	if c.Response().Committed {
		return
	}
	if r.retry > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int((r.retry+time.Second-1)/time.Second)))
	}
	if r.unread {
		c.Response().Header().Set(echo.HeaderConnection, "close")
	}
	_ = answer(c, r.status, struct {
		Error string `json:"error"`
	}{r.word})
	if r.unread {
		linger(c)
	}
}

func asRefusal(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			return &refusal{status: he.Code, word: "not_found"}
		case http.StatusMethodNotAllowed:
			return &refusal{status: he.Code, word: "method_not_allowed"}
		}
	}
	return &refusal{status: http.StatusInternalServerError, word: "internal", cause: err}
}

const (
	lingerTime  = time.Second
	lingerBytes = 8 << 20
)

// linger reads on for a moment after an early answer. A client that sends its
// whole body before it reads would otherwise see a reset instead of the answer,
// because closing a socket with unread data resets it.
func linger(c echo.Context) {
	r := c.Request()
	if r.ProtoMajor != 1 || r.Header.Get("Expect") != "" {
		return // HTTP/2 can stop one stream; "100-continue" clients wait for us
	}
	rc := http.NewResponseController(c.Response())
	if rc.Flush() != nil || rc.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, lingerBytes)
}

// access writes the webhook's line in the form Cloud Logging knows as httpRequest.
// The query is left out since it carries the verify token, and the address of the
// client because nothing needs it.
func (s *Server) access(c echo.Context, id string, took time.Duration, err error) {
	status := c.Response().Status
	level, event := zapcore.InfoLevel, "webhook.request"
	switch {
	case status >= http.StatusInternalServerError:
		level, event = zapcore.ErrorLevel, "webhook.rejected"
	case status >= http.StatusBadRequest:
		level, event = zapcore.WarnLevel, "webhook.rejected"
	}
	entry := s.log.Check(level, event)
	if entry == nil {
		return
	}
	n := noteOf(c)
	fields := []zap.Field{
		zap.Object("httpRequest", requestOf(c, n, took)),
		zap.String("request_id", id), zap.String("outcome", n.outcome),
	}
	if err != nil {
		r := asRefusal(err)
		fields[2] = zap.String("outcome", r.word)
		fields = append(fields, cause(r.cause)...)
	} else if n.messages+n.statuses+len(n.others) > 0 {
		fields = append(fields, zap.Int("messages", n.messages), zap.Int("statuses", n.statuses), zap.Int("others", len(n.others)))
		if len(n.others) > 0 {
			fields = append(fields, zap.Array("set_aside", otherEvents(n.others)))
		}
	}
	if s.logFields != nil {
		fields = append(fields, s.logFields(c.Request().Context())...)
	}
	entry.Write(fields...)
}

// tell passes on how a request to the webhook ended.
func (s *Server) tell(c echo.Context, took time.Duration, err error) {
	if s.onWebhook == nil {
		return
	}
	outcome := noteOf(c).outcome
	if err != nil {
		outcome = asRefusal(err).word
	}
	s.onWebhook(WebhookRequest{Method: c.Request().Method, Outcome: outcome, Status: c.Response().Status, Took: took})
}

// maxSetAside bounds the events that one line names; a batch can hold a thousand.
const maxSetAside = 10

// otherEvents names what was set aside: field, reason and Meta's code. A field name
// comes from the signed webhook and is cut where it is absurdly long.
type otherEvents []domain.OtherEvent

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (o otherEvents) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, ev := range o[:min(len(o), maxSetAside)] {
		name := ev.Field[:min(len(ev.Field), 64)] + ":" + ev.Reason
		if ev.Code != 0 {
			name += ":" + strconv.Itoa(ev.Code)
		}
		enc.AppendString(name)
	}
	return nil
}

// cause logs the text of our own errors, which is safe by contract, and only the
// type of foreign ones, which may quote the body.
func cause(err error) []zap.Field {
	var ours *ports.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return []zap.Field{zap.String("error", err.Error()), zap.String("error_kind", string(ours.Kind))}
	}
	return []zap.Field{zap.String("error_type", fmt.Sprintf("%T", err)), zap.String("error_kind", string(ports.KindOf(err)))}
}

// httpRequest holds plain values only: a logger may encode it after Echo has given
// the context to another request.
type httpRequest struct {
	method, protocol, agent string
	status, requestSize     int
	responseSize            int64
	took                    time.Duration
}

func requestOf(c echo.Context, n *note, took time.Duration) httpRequest {
	r := c.Request()
	agent := r.UserAgent()
	return httpRequest{
		method: r.Method, protocol: r.Proto, agent: agent[:min(len(agent), 128)],
		status: c.Response().Status, requestSize: n.bytes, responseSize: c.Response().Size, took: took,
	}
}

// MarshalLogObject writes the fields of google.logging.type.HttpRequest.
func (h httpRequest) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("requestMethod", h.method)
	enc.AddString("requestUrl", WebhookPath)
	enc.AddInt("status", h.status)
	enc.AddString("latency", strconv.FormatFloat(h.took.Seconds(), 'f', 6, 64)+"s")
	enc.AddString("requestSize", strconv.Itoa(h.requestSize))
	enc.AddString("responseSize", strconv.FormatInt(h.responseSize, 10))
	enc.AddString("protocol", h.protocol)
	if h.agent != "" {
		enc.AddString("userAgent", h.agent)
	}
	return nil
}

func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// quietLog takes net/http's own complaints, which name client addresses and are
// about broken connections, to the debug level.
func quietLog(l *zap.Logger) *log.Logger {
	std, err := zap.NewStdLogAt(l.Named("http"), zap.DebugLevel)
	if err != nil {
		return log.New(io.Discard, "", 0)
	}
	return std
}
