package httpstatus_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

func TestKind(t *testing.T) {
	for kind, statuses := range map[ports.Kind][]int{
		"":                    {200, 201, 204, 206},
		ports.KindInvalid:     {400, 405, 411, 412, 414, 422, 431},
		ports.KindDenied:      {401, 402, 403, 407},
		ports.KindNotFound:    {404, 410},
		ports.KindUnsupported: {406, 413, 415, 501, 505},
		ports.KindTimeout:     {408, 504},
		ports.KindTransient:   {409, 425, 500, 502, 503, 520, 529},
		ports.KindRateLimited: {429},
		ports.KindBlocked:     {451},
		ports.KindCanceled:    {499},
		ports.KindUnknown:     {0, 100, 101, 301, 302, 304, 307, 600, -1},
	} {
		for _, s := range statuses {
			assert.Equal(t, kind, httpstatus.Kind(s), "status %d", s)
		}
	}
}

func TestGRPCKind(t *testing.T) {
	want := []ports.Kind{
		"", ports.KindCanceled, ports.KindUnknown, ports.KindInvalid, ports.KindTimeout, ports.KindNotFound,
		ports.KindInvalid, ports.KindDenied, ports.KindRateLimited, ports.KindInvalid, ports.KindTransient,
		ports.KindInvalid, ports.KindUnsupported, ports.KindTransient, ports.KindTransient, ports.KindUnknown, ports.KindDenied,
	}
	for code, kind := range want {
		assert.Equal(t, kind, httpstatus.GRPCKind(uint32(code)), "code %d", code)
	}
	assert.Equal(t, ports.KindUnknown, httpstatus.GRPCKind(17))
	assert.Equal(t, ports.KindUnknown, httpstatus.GRPCKind(1<<32-1))
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"7":                             7 * time.Second,
		" 90 ":                          90 * time.Second,
		"-1":                            0,
		"1.5":                           0,
		"soon":                          0,
		"86400":                         httpstatus.MaxRetryAfter,
		"999999999999999999999999":      httpstatus.MaxRetryAfter,
		"Sun, 22 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 11:00:00 GMT": 0,
		"Mon, 22 Nov 2027 12:00:00 GMT": httpstatus.MaxRetryAfter,
	} {
		assert.Equal(t, want, httpstatus.RetryAfter(http.Header{"Retry-After": {value}}, now), "%q", value)
	}
	assert.Zero(t, httpstatus.RetryAfter(nil, now))
}

func TestFromResponse(t *testing.T) {
	resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"3"}}}
	e := httpstatus.FromResponse("vendor.call", resp, time.Now())
	assert.Equal(t, ports.KindRateLimited, e.Kind)
	assert.Equal(t, 3*time.Second, e.RetryAfter)
	assert.Equal(t, "vendor.call: rate_limited: HTTP status 429", e.Error())
	assert.False(t, e.MaybeDone)
}
