// Package adminapi is the operator's API on the admin listener: calls that decide about
// conversations, for whoever holds the admin token. What the calls do is given to it;
// here is who may make them and how they are answered.
package adminapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	// maxBody bounds a request: a few names.
	maxBody = 4 << 10
	// callBudget bounds the work of one call.
	callBudget = 60 * time.Second
)

// Request is what a call is asked for.
type Request struct {
	// Exactly one says who is meant.
	Conversation string `json:"conversation"`
	Phone        string `json:"phone"`
	User         string `json:"user"`
	// For is how long a pause lasts, such as "2h"; it belongs to pause alone.
	For string `json:"for"`
}

// Call does what a path stands for and returns what is answered as JSON; an io.WriterTo is
// written as it is. An error that Refuse made is the caller's fault, and its text is
// answered.
type Call func(ctx context.Context, req Request) (any, error)

// refusal is a fault of the caller that may be told.
type refusal struct{ error }

// Refuse marks an error as the caller's fault. Its text is answered, so it must quote
// nobody.
func Refuse(err error) error { return refusal{err} }

// Options make an API. All are required, but for the token's value.
type Options struct {
	// Token gives the admin token in force; while it is empty every call is refused.
	Token func() string
	// Calls are the calls by method and path, as in "POST /v1/conversations/pause".
	Calls map[string]Call
	Log   *zap.Logger
	// Ref gives the hash under which the log names whom a call was about.
	Ref func(Request) string
}

// New makes the handlers by their patterns, for the admin listener's mux.
func New(o Options) (map[string]http.Handler, error) {
	if o.Token == nil || len(o.Calls) == 0 || o.Log == nil || o.Ref == nil {
		return nil, errors.New("adminapi: token, calls, log and refs are required")
	}
	out := map[string]http.Handler{}
	for pattern, call := range o.Calls {
		out[pattern] = o.handler(pattern, call)
	}
	return out, nil
}

func (o Options) handler(pattern string, call Call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, problem := o.admit(r); problem != "" {
			o.Log.Warn("admin.refused", zap.String("call", pattern), zap.String("why", problem))
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			answerProblem(w, status, problem)
			return
		}
		req, err := read(w, r)
		if err != nil {
			answerProblem(w, http.StatusBadRequest, err.Error())
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), callBudget)
		defer cancel()
		answer, err := call(ctx, req)
		status, problem := statusOf(err)
		o.Log.Info("admin.call", zap.String("call", pattern), zap.Int("status", status), zap.String("who_ref", o.Ref(req)), zap.Error(err))
		if err != nil {
			answerProblem(w, status, problem)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if body, ok := answer.(io.WriterTo); ok {
			w.Header().Set("Content-Type", "application/json")
			_, _ = body.WriteTo(w) // whoever went away has no use for it
			return
		}
		write(w, http.StatusOK, "application/json", answer)
	})
}

// admit checks the token. Both sides are hashed, so that the time tells neither what it is
// nor how long.
func (o Options) admit(r *http.Request) (int, string) {
	token := o.Token()
	if token == "" {
		return http.StatusForbidden, "the admin API is off: ADMIN_TOKEN is not set"
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !bearer {
		return http.StatusUnauthorized, "the admin token is missing or wrong"
	}
	return 0, ""
}

func read(w http.ResponseWriter, r *http.Request) (Request, error) {
	var req Request
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		return Request{Conversation: q.Get("conversation"), Phone: q.Get("phone"), User: q.Get("user")}, nil
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if dec.Decode(&req) != nil || !ended(dec) {
		return req, errors.New(`the body must be a small JSON object with "conversation", "phone" or "user", and "for" in a pause`)
	}
	return req, nil
}

// ended reports whether nothing but air is left, and no more of that than a body may hold.
func ended(dec *json.Decoder) bool {
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

// statusOf is how an error is answered. Only a caller's fault is told in words of its
// own: a store's error is for the log.
func statusOf(err error) (int, string) {
	var fault refusal
	switch {
	case err == nil:
		return http.StatusOK, ""
	case errors.As(err, &fault):
		return http.StatusBadRequest, fault.Error()
	}
	switch ports.KindOf(err) {
	case ports.KindNotFound:
		return http.StatusNotFound, "no such conversation is stored"
	case ports.KindInvalid:
		return http.StatusBadRequest, "the store refuses this"
	}
	return http.StatusServiceUnavailable, "the store cannot do this now"
}

// problem is an error as RFC 9457 writes it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
}

func answerProblem(w http.ResponseWriter, status int, title string) {
	write(w, status, "application/problem+json", problem{Type: "about:blank", Title: title, Status: status})
}

func write(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever went away has no use for it
}

// PauseOf is the change a pause asks for; without a length it is standard.
func PauseOf(req Request, standard time.Duration) (domain.ControlChange, error) {
	change := domain.ControlChange{Kind: domain.ControlPause, For: standard, By: domain.PausedByOrder}
	if req.For != "" {
		d, err := time.ParseDuration(req.For)
		if err != nil {
			return change, Refuse(errors.New(`"for" is no length of time such as 45m or 12h`))
		}
		change.For = d
	}
	if err := change.Validate(); err != nil {
		return change, Refuse(err)
	}
	return change, nil
}
