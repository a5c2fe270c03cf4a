package whatsapp_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// meta is Meta's table in a second hand: code, what to do, kind, whom, class.
var meta = []struct {
	codes  []int
	action whatsapp.Action
	kind   ports.Kind
	scope  ports.Scope
	class  domain.FailureClass
}{
	{[]int{0, 190, 3, 10, 200, 245, 299, 131005, 104, 131042, 131031, 368, 130497}, whatsapp.ActionConfiguration, ports.KindDenied, ports.ScopeAccount, domain.FailConfig},
	{[]int{33, 133010, 131045}, whatsapp.ActionConfiguration, ports.KindDenied, ports.ScopeNumber, domain.FailConfig},
	{[]int{131030}, whatsapp.ActionConfiguration, ports.KindDenied, ports.ScopeRecipient, domain.FailConfig},
	{[]int{100, 131008, 131009, 135000, 132000, 132999, 134011, 138000, 139100}, whatsapp.ActionPermanent, ports.KindInvalid, ports.ScopeCall, domain.FailPermanent},
	{[]int{131021}, whatsapp.ActionPermanent, ports.KindInvalid, ports.ScopeRecipient, domain.FailRecipient},
	{[]int{4, 80007}, whatsapp.ActionRetrySlowly, ports.KindRateLimited, ports.ScopeAccount, domain.FailTransient},
	{[]int{130429}, whatsapp.ActionRetry, ports.KindRateLimited, ports.ScopeNumber, domain.FailTransient},
	{[]int{131056}, whatsapp.ActionRecipientHold, ports.KindRateLimited, ports.ScopeRecipient, domain.FailRecipientHold},
	{[]int{131048, 131064}, whatsapp.ActionRetrySlowly, ports.KindRateLimited, ports.ScopeNumber, domain.FailPermanent},
	{[]int{131057, 2494100}, whatsapp.ActionRetry, ports.KindTransient, ports.ScopeNumber, domain.FailTransient},
	{[]int{1, 2, 131016, 133004, 131000}, whatsapp.ActionRetry, ports.KindTransient, ports.ScopeCall, domain.FailTransient},
	{[]int{131047}, whatsapp.ActionWindow, ports.KindBlocked, ports.ScopeWindow, domain.FailWindow},
	{[]int{131026}, whatsapp.ActionPermanent, ports.KindNotFound, ports.ScopeRecipient, domain.FailRecipient},
	{[]int{130403}, whatsapp.ActionPermanent, ports.KindBlocked, ports.ScopeRecipient, domain.FailRecipient},
	{[]int{131062}, whatsapp.ActionPermanent, ports.KindUnsupported, ports.ScopeRecipient, domain.FailRecipient},
	{[]int{131051, 131052, 131053}, whatsapp.ActionMedia, ports.KindUnsupported, ports.ScopeMedia, domain.FailMedia},
	{[]int{131049, 131050, 130472}, whatsapp.ActionPermanent, ports.KindBlocked, ports.ScopeRecipient, domain.FailPermanent},
	{[]int{131060}, whatsapp.ActionPermanent, ports.KindUnsupported, ports.ScopeCall, domain.FailPermanent},
}

// Every code, by the answer to a send and by a failed status.
func TestErrorTable(t *testing.T) {
	s := newGraphServer(t)
	m := s.messenger(nil)
	covered := map[int]bool{}
	for _, row := range meta {
		for _, code := range row.codes {
			t.Run(strconv.Itoa(code), func(t *testing.T) {
				rule, ok := whatsapp.RuleFor(code)
				require.True(t, ok)
				covered[rule.From] = true
				assert.Equal(t, row.action, rule.Action)
				assert.Equal(t, domain.Failure{Code: code, Class: row.class}, whatsapp.FailureOf(code))

				// Meta asks not to build on the HTTP status: it must not matter.
				for _, status := range []int{400, 401, 403, 429, 500, 503, 200} {
					s.refuseNext(status, code)()
					_, err := m.Send(t.Context(), text("hi"))
					var e *ports.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, row.kind, e.Kind, "status %d", status)
					assert.Equal(t, row.scope, e.Scope)
					assert.Equal(t, strconv.Itoa(code), e.Code)
					assert.Equal(t, rule.Wait, e.RetryAfter)
					assert.False(t, e.MaybeDone)
					assert.Contains(t, err.Error(), "fbtrace_id AbCdEfGhIjKlMnOpQrStUv")
					assert.NotContains(t, err.Error(), "34600111222", "Meta's message may hold personal data")
				}
			})
		}
	}
	for _, rule := range whatsapp.Rules() {
		assert.True(t, covered[rule.From], "row %d is not tested", rule.From)
		assert.NotEmpty(t, rule.Meaning)
		retryable := ports.Retryable(&ports.Error{Kind: rule.Kind})
		assert.Equal(t, retryable, rule.Wait > 0, "row %d: what may be retried has a wait, and nothing else", rule.From)
	}
}

func TestErrorTableIsInOrder(t *testing.T) {
	rules := whatsapp.Rules()
	for i, r := range rules {
		assert.LessOrEqual(t, r.From, r.To)
		if i > 0 {
			assert.Greater(t, r.From, rules[i-1].To, "rows overlap or are out of order")
		}
	}
}

func TestUnknownCodesGoByTheStatus(t *testing.T) {
	s := newGraphServer(t)
	m := s.messenger(nil)
	for status, want := range map[int]ports.Error{
		400: {Kind: ports.KindInvalid},
		401: {Kind: ports.KindDenied, Scope: ports.ScopeAccount},
		403: {Kind: ports.KindDenied, Scope: ports.ScopeAccount},
		429: {Kind: ports.KindRateLimited, Scope: ports.ScopeNumber},
		500: {Kind: ports.KindTransient},
		200: {Kind: ports.KindUnknown},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s.refuseNext(status, 999999)()
			_, err := m.Send(t.Context(), text("hi"))
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, want.Kind, e.Kind)
			assert.Equal(t, want.Scope, e.Scope)
			assert.Equal(t, "999999", e.Code)
			assert.False(t, e.MaybeDone, "Meta says that it refused")
		})
	}
	assert.Equal(t, domain.Failure{Code: 999999, Class: domain.FailPermanent}, whatsapp.FailureOf(999999))
}

// What an answer without a Graph error means for a message.
func TestAnswersThatAreNotMetas(t *testing.T) {
	const cutShort = -1
	for name, x := range map[string]struct {
		status    int
		header    http.Header
		body      string
		kind      ports.Kind
		scope     ports.Scope
		wait      time.Duration
		maybeDone bool
	}{
		"proxy's bad gateway":    {status: 502, body: "<html>bad gateway</html>", kind: ports.KindTransient, maybeDone: true},
		"gateway timeout":        {status: 504, kind: ports.KindTimeout, maybeDone: true},
		"unavailable":            {status: 503, header: http.Header{"Retry-After": {"9"}}, kind: ports.KindTransient, wait: 9 * time.Second, maybeDone: true},
		"error that is a text":   {status: 500, body: `{"error":"boom"}`, kind: ports.KindTransient, maybeDone: true},
		"error without code":     {status: 500, body: `{"error":{"message":"boom"}}`, kind: ports.KindTransient, maybeDone: true},
		"code that is no number": {status: 500, body: `{"error":{"code":"boom"}}`, kind: ports.KindTransient, maybeDone: true},
		"code as a string":       {status: 500, body: `{"error":{"code":"131056"}}`, kind: ports.KindRateLimited, scope: ports.ScopeRecipient, wait: 6 * time.Second},
		"header beats the table": {status: 400, header: http.Header{"Retry-After": {"40"}}, body: `{"error":{"code":131056}}`, kind: ports.KindRateLimited, scope: ports.ScopeRecipient, wait: 40 * time.Second},
		"transient by Meta":      {status: 400, body: `{"error":{"code":424242,"is_transient":true}}`, kind: ports.KindTransient},
		"denied":                 {status: 401, kind: ports.KindDenied, scope: ports.ScopeAccount},
		"forbidden":              {status: 403, body: "no", kind: ports.KindDenied, scope: ports.ScopeAccount},
		"too many":               {status: 429, header: http.Header{"Retry-After": {"2"}}, kind: ports.KindRateLimited, scope: ports.ScopeNumber, wait: 2 * time.Second},
		"not found":              {status: 404, kind: ports.KindNotFound},
		"redirect":               {status: 307, header: http.Header{"Location": {"/v26.0/106500000000001/messages"}}, kind: ports.KindUnknown},
		"good and empty":         {status: 200, kind: ports.KindUnknown, maybeDone: true},
		"good and no JSON":       {status: 200, body: "OK", kind: ports.KindUnknown, maybeDone: true},
		"good without id":        {status: 200, body: `{"messages":[]}`, kind: ports.KindUnknown, maybeDone: true},
		"good with wrong types":  {status: 200, body: `{"messages":7}`, kind: ports.KindUnknown, maybeDone: true},
		"good and endless":       {status: 200, body: `{"x":"` + string(make([]byte, 80<<10)) + `"}`, kind: ports.KindUnknown, maybeDone: true},
		"good and cut":           {status: cutShort, kind: ports.KindTransient, maybeDone: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGraphServer(t)
			s.nextSend = func(w http.ResponseWriter, _ map[string]any) bool {
				for k, v := range x.header {
					w.Header()[k] = v
				}
				if x.status == cutShort {
					w.Header().Set("Content-Length", "100")
					_, _ = io.WriteString(w, `{"messages":[`)
					return true
				}
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.body)
				return false
			}
			id, err := s.messenger(nil).Send(t.Context(), text("hi"))
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Empty(t, id)
			assert.Equal(t, x.kind, e.Kind)
			assert.Equal(t, x.scope, e.Scope)
			assert.Equal(t, x.wait, e.RetryAfter)
			assert.Equal(t, x.maybeDone, e.MaybeDone)
			assert.Equal(t, 1, s.attempts, "the message was sent again")
			assert.NotContains(t, fmt.Sprint(errors.Unwrap(err)), "boom")
		})
	}
}

func text(body string) domain.Outbound {
	return domain.Outbound{Number: number, To: ana, Content: domain.OutboundText{Body: body}}
}
