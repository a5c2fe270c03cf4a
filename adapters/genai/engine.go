package genai

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	sdk "google.golang.org/genai"

	"whatsappnode/ports"
)

// callTimeout ends a call whose context has no deadline of its own. The slowest
// honest answer, minutes of speech, takes less.
const callTimeout = 2 * time.Minute

// engine is what the model, the ear and the voice have in common. It may be used
// concurrently.
type engine struct {
	models  *sdk.Models
	model   string
	timeout time.Duration   // of the given client, for a whole call; 0 for none
	own     *http.Transport // nil when the client was given
}

// newEngine makes the library's client without dialling and without leaving it a
// choice that it would take from the environment.
func newEngine(cfg Config, model string) (engine, error) {
	e := engine{model: model}
	given := cfg.Client
	if given == nil {
		e.own = privateTransport()
		given = &http.Client{Transport: e.own}
	}
	client := *given
	// As a context's deadline it ends a call with the right error.
	e.timeout, client.Timeout = given.Timeout, 0
	client.Transport = &transport{base: given.Transport, authorize: authorizer(cfg)}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	// The transport puts the real key in place of this one. With Vertex AI too, a
	// key that is set keeps the library from taking one from the environment.
	const placeholder = "set-by-the-transport"
	off := sdk.ClientConfig{
		APIKey: placeholder, Backend: sdk.BackendGeminiAPI, HTTPClient: &client,
		HTTPOptions: sdk.HTTPOptions{BaseURL: cfg.BaseURL, APIVersion: geminiVersion},
	}
	if v := cfg.Vertex; v != nil {
		off.Backend, off.Project, off.Location = sdk.BackendVertexAI, v.Project, v.Location
		off.HTTPOptions.APIVersion = vertexVersion
	}
	c, err := sdk.NewClient(context.Background(), &off)
	if err != nil {
		// Its text prints the whole configuration.
		return engine{}, errors.New("the genai library refuses the configuration")
	}
	e.models = c.Models
	return e, nil
}

// privateTransport bounds each step of a connection, but not the wait for the
// answer: that is the context's.
func privateTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 128, MaxIdleConnsPerHost: 128, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close frees idle connections. Calls under way are not disturbed. A client that
// was given is left alone.
func (e *engine) Close() error {
	if e.own != nil {
		e.own.CloseIdleConnections()
	}
	return nil
}

// ask makes one call and returns the whole answer, of at most limit bytes.
func (e *engine) ask(ctx context.Context, op string, limit int64, contents []*sdk.Content, cfg *sdk.GenerateContentConfig) (*sdk.GenerateContentResponse, error) {
	c := &call{op: op, limit: limit}
	ctx = c.into(ctx)
	var (
		resp *sdk.GenerateContentResponse
		err  error
	)
	if fault := guard(func() { resp, err = e.models.GenerateContent(ctx, e.model, contents, once(cfg)) }); fault != nil {
		err = fault
	}
	if err != nil || c.err != nil {
		return nil, c.explain(ctx, err)
	}
	return resp, nil
}

// once keeps the library from asking again for the rest of an answer.
func once(cfg *sdk.GenerateContentConfig) *sdk.GenerateContentConfig {
	cfg.AutomaticContinuation = new(bool)
	return cfg
}

// guard runs code of the library, which asserts the types of what it decodes.
func guard(run func()) (fault error) {
	defer func() {
		if recover() != nil {
			fault = errMalformed // the panic's value may quote the answer
		}
	}()
	run()
	return nil
}

// bounded gives a call a deadline if it has none, or a later one than the client.
func (e *engine) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.timeout > 0 {
		return context.WithTimeout(ctx, e.timeout)
	}
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, callTimeout)
}

// thinking is nil for the model's own choice.
func thinking(level string) *sdk.ThinkingConfig {
	if level == "" {
		return nil
	}
	return &sdk.ThinkingConfig{ThinkingLevel: sdk.ThinkingLevel(strings.ToUpper(level))}
}

func refuse(op string, kind ports.Kind, reason string) *ports.Error {
	return &ports.Error{Op: op, Kind: kind, Err: errors.New(reason)}
}
