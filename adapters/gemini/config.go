package gemini

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"whatsappnode/adapters/baseurl"
)

// Defaults of Config.
const (
	DefaultBaseURL = "https://generativelanguage.googleapis.com"
	// DefaultModel is the vendor's own name for its latest fast model: numbered
	// models are switched off after a year or so.
	DefaultModel = "gemini-flash-latest"
	// DefaultTimeout is for callers that set no deadline; a model that thinks takes
	// tens of seconds.
	DefaultTimeout = 3 * time.Minute
)

// Config says which account and model to use. Only APIKey is required.
type Config struct {
	// APIKey returns the key in force; it is asked at every call, so that a key can
	// be rotated without a restart. It must be safe for concurrent use. While it
	// returns nothing, every call fails with ports.KindDenied.
	APIKey func() string
	// BaseURL is where the API is, without "/v1beta": https, or http on a loopback
	// host, since the key travels with every call.
	BaseURL string
	// Model is the model's name at the vendor, such as "gemini-flash-latest" or
	// "tunedModels/mine".
	Model string
	// Timeout is the deadline of a call whose context has none.
	Timeout time.Duration
	// Client makes the calls; nil is a client of the adapter's own, without a
	// proxy. A copy is taken that follows no redirect and has no timeout of its own:
	// an answer may be long, and its deadline is the context's.
	Client *http.Client
}

// modelPattern is what may stand in the path of a request without meaning more.
var modelPattern = regexp.MustCompile(`^([A-Za-z]+/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// complete fills in the defaults and checks everything, all faults at once.
func (c Config) complete() (Config, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultModel)
	setDefault(&c.Timeout, DefaultTimeout)
	var faults []error
	if c.APIKey == nil {
		faults = append(faults, errors.New("the API key function is missing"))
	}
	if err := baseurl.Check(c.BaseURL); err != nil {
		faults = append(faults, fmt.Errorf("the base URL %w", err))
	}
	if !modelPattern.MatchString(c.Model) {
		faults = append(faults, errors.New("the model's name is malformed"))
	}
	if c.Timeout < 0 {
		faults = append(faults, errors.New("the timeout is negative"))
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return c, errors.Join(faults...)
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// newTransport keeps connections warm and bounds each step of making one.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}
