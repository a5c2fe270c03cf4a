package simulator

import (
	"context"
	"crypto/hmac"
	"net/http"
	"regexp"
	"strings"
	"time"
)

var versionSegment = regexp.MustCompile(`^v\d{1,3}\.\d{1,2}$`)

// serveGraph routes the calls of the bot. Any version segment is accepted, or none.
func (s *Simulator) serveGraph(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) > 1 && versionSegment.MatchString(parts[0]) {
		w.Header().Set("facebook-api-version", parts[0])
		parts = parts[1:]
	}
	if f, ok := s.admit(r); !ok {
		s.refuseGraph(w, r, f)
		return
	}
	switch {
	case len(parts) == 2 && r.Method == http.MethodPost && (parts[1] == "messages" || parts[1] == "media"):
		if parts[0] != s.cfg.PhoneNumberID {
			s.refuseGraph(w, r, noSuchObject("post", parts[0]))
			return
		}
		if parts[1] == "media" {
			s.uploadMedia(w, r)
		} else {
			s.postMessages(w, r)
		}
	case len(parts) == 1 && r.Method == http.MethodGet && parts[0] == "app":
		writeJSON(w, http.StatusOK, obj("id", s.cfg.AppID))
	case len(parts) == 2 && r.Method == http.MethodGet && parts[0] == s.cfg.AppID && parts[1] == subscriptionsEdge:
		s.readSubscriptions(w)
	case len(parts) == 1 && r.Method == http.MethodGet && parts[0] == s.cfg.PhoneNumberID:
		s.readNumber(w, r)
	case len(parts) == 1 && r.Method == http.MethodGet:
		s.lookupMedia(w, r, parts[0])
	case len(parts) == 1 && r.Method == http.MethodDelete:
		s.deleteMedia(w, r, parts[0])
	default:
		s.refuseGraph(w, r, noSuchObject(strings.ToLower(r.Method), parts[0]))
	}
}

// admit checks the token and applies the faults that concern every call.
func (s *Simulator) admit(r *http.Request) (failure, bool) {
	s.mu.Lock()
	delay := ms(s.faults.GraphDelayMS)
	s.mu.Unlock()
	if !s.pause(r.Context(), delay) {
		return failure{Code: 2}, false // nobody listens any more
	}
	if f, ok := s.authorized(r); !ok {
		return f, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.roll(s.faults.ErrorPercent) {
		return failure{Code: s.faults.ErrorCode, HTTP: s.faults.ErrorHTTPStatus}, false
	}
	return failure{}, true
}

func (s *Simulator) authorized(r *http.Request) (failure, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		return failure{
			Code: codeAuth, Message: "An access token is required to request this resource.",
			Details: "No bearer token was sent.",
		}, false
	}
	want := s.cfg.AccessToken
	if strings.HasSuffix(r.URL.Path, "/"+subscriptionsEdge) {
		want = s.cfg.AppID + "|" + s.cfg.AppSecret // an app access token
	}
	if !hmac.Equal([]byte(token), []byte(want)) {
		return failure{
			Code: codeAuth, Message: "Invalid OAuth access token - Cannot parse access token",
			Details: "The bearer token is not the one of this business.",
		}, false
	}
	return failure{}, true
}

// pause waits a real-time delay; false when the caller or the simulator ended first.
func (s *Simulator) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

func noSuchObject(method, id string) failure {
	if len(id) > 64 {
		id = id[:64]
	}
	return failure{
		Code: codeParameter, Subcode: subcodeNoObject, Kind: "GraphMethodException", HTTP: http.StatusBadRequest,
		Message: "Unsupported " + method + " request. Object with ID '" + id +
			"' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
		Details: "Object does not exist.",
	}
}

func (s *Simulator) refuseGraph(w http.ResponseWriter, r *http.Request, f failure) {
	s.note(Entry{Kind: LogGraphRefused, Type: r.Method, HTTPStatus: f.status(), Code: f.Code, Reason: f.message()})
	if strings.HasSuffix(r.URL.Path, "/messages") {
		s.mu.Lock()
		s.counts.Refused++
		s.changedLocked()
		s.mu.Unlock()
	}
	s.writeFailure(w, f)
}
