package httpstatus

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"whatsappnode/ports"
)

// MaxRetryAfter bounds what a server may ask us to wait.
const MaxRetryAfter = 24 * time.Hour

// Kind maps an HTTP status. It is empty for 2xx, which is no failure. Vendors that
// say more in the body are to be believed before the status.
func Kind(status int) ports.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusProxyAuthRequired:
		return ports.KindDenied
	case http.StatusNotFound, http.StatusGone:
		return ports.KindNotFound
	case http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return ports.KindUnsupported
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return ports.KindTimeout
	case http.StatusConflict, http.StatusTooEarly:
		return ports.KindTransient // both ask for the same request again, later
	case http.StatusTooManyRequests:
		return ports.KindRateLimited
	case http.StatusUnavailableForLegalReasons:
		return ports.KindBlocked
	case 499: // nginx and Google: the client closed the request
		return ports.KindCanceled
	}
	switch status / 100 {
	case 2:
		return ""
	case 4:
		return ports.KindInvalid
	case 5:
		return ports.KindTransient
	}
	return ports.KindUnknown // 1xx and 3xx are no final answer of an API, the rest is no status
}

// RetryAfter reads the Retry-After header, in seconds or as an HTTP date seen from
// now. It is zero when the header is absent, unreadable or past, and at most
// MaxRetryAfter.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	wait := MaxRetryAfter
	if digitsOnly(v) {
		// A number too large for an integer is as good as the bound.
		if s, err := strconv.ParseInt(v, 10, 64); err == nil && s < int64(MaxRetryAfter/time.Second) {
			wait = time.Duration(s) * time.Second
		}
		return wait
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter)
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// FromResponse makes the error of an answer that is not 2xx. It reads the status
// and Retry-After only, never the body. Scope is left to the caller.
func FromResponse(op string, resp *http.Response, now time.Time) *ports.Error {
	return &ports.Error{
		Op: op, Kind: Kind(resp.StatusCode), RetryAfter: RetryAfter(resp.Header, now),
		Err: fmt.Errorf("HTTP status %d", resp.StatusCode),
	}
}
