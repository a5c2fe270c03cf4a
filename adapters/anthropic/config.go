package anthropic

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"whatsappnode/adapters/baseurl"
)

// Defaults of Config.
const (
	DefaultBaseURL = "https://api.anthropic.com"
	// DefaultModel is the fastest of the current models: in a voice conversation
	// the wait is what people notice first.
	DefaultModel = sdk.ModelClaudeHaiku5_5
	// DefaultMaxTokens is far above any answer a person would listen to, because
	// what a model thinks before it speaks counts too.
	DefaultMaxTokens = 8192
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
	// BaseURL is where the Messages API is, without "/v1": https, or http on a
	// loopback host, since the key travels with every call.
	BaseURL string
	// Model is the model's name at the vendor.
	Model string
	// MaxTokens bounds an answer whose request sets no bound: the vendor wants one.
	MaxTokens int
	// Timeout is the deadline of a call whose context has none.
	Timeout time.Duration
	// Client makes the calls; nil is a client of the adapter's own, without a
	// proxy. A copy is taken that follows no redirect and has no timeout of its own:
	// an answer may be long, and its deadline is the context's.
	Client *http.Client
}

// complete fills in the defaults and checks everything, all faults at once.
func (c Config) complete() (Config, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultModel)
	setDefault(&c.MaxTokens, DefaultMaxTokens)
	setDefault(&c.Timeout, DefaultTimeout)
	var faults []error
	if c.APIKey == nil {
		faults = append(faults, errors.New("the API key function is missing"))
	}
	if err := baseurl.Check(c.BaseURL); err != nil {
		faults = append(faults, fmt.Errorf("the base URL %w", err))
	}
	if strings.ContainsFunc(c.Model, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		faults = append(faults, errors.New("the model's name holds white space"))
	}
	if c.MaxTokens < 1 {
		faults = append(faults, errors.New("the token limit must be at least 1"))
	}
	if c.Timeout < 0 {
		faults = append(faults, errors.New("the timeout is negative"))
	}
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
