package adminapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"whatsappnode/adapters/adminapi"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestEachPatternHasItsCall(t *testing.T) {
	d := open(t)
	for _, pattern := range []string{write, "POST /v1/conversations/unblock"} {
		d.asked = nil
		r := d.call(pattern, `{"user":"ES.4711"}`)
		require.Equal(t, http.StatusOK, r.StatusCode, r.body)
		require.Equal(t, []string{pattern}, d.asked)
		require.Equal(t, adminapi.Request{User: "ES.4711"}, d.request)
		require.JSONEq(t, `{"done":"yes"}`, r.body)
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"), "no proxy keeps it")
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	}
	bearer := []string{"Authorization", "Bearer " + token}
	r := d.send(read, "?phone=%2B"+phone+"&for=1h", nil, bearer...)
	require.Equal(t, http.StatusOK, r.StatusCode, r.body)
	require.Equal(t, adminapi.Request{Phone: "+" + phone}, d.request, "a reading call is asked by its query")

	d.asked = nil
	for _, wrong := range []string{"GET /v1/conversations/block", "PUT /v1/conversations/block", "POST /v1/conversations/export", "DELETE /v1/conversations/unblock"} {
		require.Equal(t, http.StatusMethodNotAllowed, d.send(wrong, "", nil, bearer...).StatusCode, wrong)
	}
	require.Equal(t, http.StatusNotFound, d.send("POST /v1/conversations/forget", "", nil, bearer...).StatusCode)
	require.Empty(t, d.asked)
}

func TestWhatIsWrittenWholeIsWrittenAsItIs(t *testing.T) {
	d := open(t)
	d.answer = bytes.NewBufferString(`{"all":"of it"}`)
	r := d.send(read, "?phone="+phone, nil, "Authorization", "Bearer "+token)
	require.Equal(t, `{"all":"of it"}`, r.body)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
}

func TestBadBodiesAreRefused(t *testing.T) {
	whole := `{"phone":"` + phone + `"}`
	for name, body := range map[string]string{
		"nothing":           "",
		"no JSON":           "phone=" + phone,
		"half":              whole[:len(whole)-1],
		"a list":            "[" + whole + "]",
		"a word":            `"` + phone + `"`,
		"a number":          phone,
		"of another kind":   `{"phone":` + phone + `}`,
		"a field too much":  `{"phone":"` + phone + `","name":"marta"}`,
		"two":               whole + whole,
		"a bracket behind":  whole + "]",
		"a brace behind":    whole + "}",
		"a word behind":     whole + " marta",
		"too long":          `{"phone":"` + strings.Repeat("1", 5000) + `"}`,
		"too long, of air":  whole + strings.Repeat(" ", 5000),
		"air, and then two": whole + strings.Repeat("\n", 100) + whole,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			require.Contains(t, d.refused(d.call(write, body), http.StatusBadRequest), "small JSON object")
			require.Empty(t, d.asked, "nothing is done by half a request")
		})
	}
}

func TestBodyMayBeAsLongAsTheLimit(t *testing.T) {
	d := open(t)
	const limit = 4 << 10
	body := `{"phone":"` + phone + `"}`
	require.Equal(t, http.StatusOK, d.call(write, body+strings.Repeat(" ", limit-len(body))).StatusCode)
	d.refused(d.call(write, body+strings.Repeat(" ", limit-len(body)+1)), http.StatusBadRequest)
	require.Len(t, d.asked, 1)
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestEndlessBodyIsNotReadToItsEnd(t *testing.T) {
	d := open(t)
	d.refused(d.send(write, "", endless{}, "Authorization", "Bearer "+token), http.StatusBadRequest)
	require.Empty(t, d.asked)
}

// TestFailuresAreToldByKind: only what Refuse marked is told in its own words; a store may
// know the person it fails for.
func TestFailuresAreToldByKind(t *testing.T) {
	fail := func(kind ports.Kind) error { return &ports.Error{Op: "store", Kind: kind, Err: errors.New("it broke")} }
	for name, c := range map[string]struct {
		err    error
		status int
		title  string
	}{
		"of the caller":           {adminapi.Refuse(errors.New("name one person")), 400, "name one person"},
		"of the caller, wrapped":  {fmt.Errorf("at the desk: %w", adminapi.Refuse(errors.New("name one person"))), 400, "name one person"},
		"nobody":                  {fail(ports.KindNotFound), 404, "no such conversation is stored"},
		"nobody, wrapped":         {fmt.Errorf("block: %w", fail(ports.KindNotFound)), 404, "no such conversation is stored"},
		"refused by the store":    {fail(ports.KindInvalid), 400, "the store refuses this"},
		"an outage":               {fail(ports.KindTransient), 503, "the store cannot do this now"},
		"a deadline":              {context.DeadlineExceeded, 503, "the store cannot do this now"},
		"something nobody thinks": {errors.New("it broke"), 503, "the store cannot do this now"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.answer, d.err = map[string]string{"half": "done"}, c.err
			r := d.call(write, `{"phone":"`+phone+`"}`)
			require.Equal(t, c.title, d.refused(r, c.status))
			require.NotContains(t, r.body, "it broke")
			require.NotContains(t, r.body, "half")
			told := d.logs.FilterMessage("admin.call").All()
			require.Len(t, told, 1)
			require.Equal(t, "ref", told[0].ContextMap()["who_ref"])
			require.EqualValues(t, c.status, told[0].ContextMap()["status"])
			require.Equal(t, c.err.Error(), told[0].ContextMap()["error"], "the operator's log has the cause")
		})
	}
}

func TestFailuresThatNameSomebodyAreNotAnswered(t *testing.T) {
	d := open(t)
	d.err = errors.New("no row for " + phone + " of Marta")
	r := d.call(write, `{"phone":"`+phone+`"}`)
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	require.NotContains(t, r.body, phone)
	require.NotContains(t, r.body, "Marta")
}

func TestCallsAreLoggedWithoutWhomTheyAreAbout(t *testing.T) {
	d := open(t)
	d.call(write, `{"phone":"`+phone+`"}`)
	d.call(write, `{"user":"ES.4711"}`)
	d.send(read, "?phone="+phone, nil, "Authorization", "Bearer "+token)
	d.send(read, "?phone="+phone, nil)
	require.Equal(t, 3, d.logs.FilterMessage("admin.call").Len())
	d.tellsOfNobody("")
}

// TestCallsHaveADeadline, so that a store that hangs does not hold a connection for ever.
func TestCallsHaveADeadline(t *testing.T) {
	var left time.Duration
	handlers, err := adminapi.New(adminapi.Options{
		Token: func() string { return token }, Log: zap.NewNop(), Ref: func(adminapi.Request) string { return "" },
		Calls: map[string]adminapi.Call{write: func(ctx context.Context, _ adminapi.Request) (any, error) {
			until, ok := ctx.Deadline()
			require.True(t, ok)
			left = time.Until(until)
			return nil, nil
		}},
	})
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
	req.Header.Set("Authorization", "Bearer "+token)
	handlers[write].ServeHTTP(httptest.NewRecorder(), req)
	require.Positive(t, left)
	require.LessOrEqual(t, left, time.Minute)
}

func TestHalfAnAPIIsRefused(t *testing.T) {
	whole := adminapi.Options{
		Token: func() string { return token }, Log: zap.NewNop(), Ref: func(adminapi.Request) string { return "" },
		Calls: map[string]adminapi.Call{write: nil},
	}
	_, err := adminapi.New(whole)
	require.NoError(t, err)
	for _, without := range []func(*adminapi.Options){
		func(o *adminapi.Options) { o.Token = nil }, func(o *adminapi.Options) { o.Calls = nil },
		func(o *adminapi.Options) { o.Log = nil }, func(o *adminapi.Options) { o.Ref = nil },
	} {
		o := whole
		without(&o)
		_, err := adminapi.New(o)
		require.ErrorContains(t, err, "required")
	}
}

func TestPauseOf(t *testing.T) {
	change, err := adminapi.PauseOf(adminapi.Request{Phone: phone}, 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, domain.ControlChange{Kind: domain.ControlPause, For: 2 * time.Hour, By: domain.PausedByOrder}, change)
	change, err = adminapi.PauseOf(adminapi.Request{For: "45m"}, 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, 45*time.Minute, change.For)
	for _, wrong := range []string{"long", "45", "-1h", "0s", "9000h", phone} {
		d := open(t)
		_, d.err = adminapi.PauseOf(adminapi.Request{For: wrong}, 2*time.Hour)
		require.Error(t, d.err, wrong)
		d.refused(d.call(write, `{}`), http.StatusBadRequest)
	}
}
