package genai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"cloud.google.com/go/auth"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// call is one call on its way through the library. The transport notes in it what
// went wrong, in words that are safe to log; the library's own errors are not.
type call struct {
	op    string
	limit int64 // of the answer, in bytes
	err   error // the first thing that went wrong below the library
}

type callKey struct{}

func (c *call) into(ctx context.Context) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// transport authorizes requests and stands between the library and everything
// that may go wrong with an answer.
type transport struct {
	base      http.RoundTripper // nil: http.DefaultTransport
	authorize func(op string, req *http.Request) error
}

// RoundTrip implements http.RoundTripper. The request's context carries its call.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("the request belongs to no call")
	}
	base := t.base
	if base == nil {
		base = http.DefaultTransport
	}
	out := req.Clone(req.Context())
	if err := t.authorize(c.op, out); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		c.fail(err)
		return nil, err
	}
	resp, err := base.RoundTrip(out)
	if err != nil {
		c.fail(httpstatus.FromDo(c.op, err, nil))
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		c.fail(refused(c.op, resp, time.Now()))
		_ = resp.Body.Close()
		resp.Body = http.NoBody
		return resp, nil
	}
	resp.Body = &answerBody{from: resp.Body, left: c.limit, call: c}
	return resp, nil
}

// answerBody ends where the answer breaks off or grows too long. The library would
// print the error with the standard log package.
type answerBody struct {
	from io.ReadCloser
	left int64
	call *call
}

func (b *answerBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.call.fail(refuse(b.call.op, ports.KindUnknown, "the answer is too long"))
		return 0, io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.call.fail(httpstatus.FromDo(b.call.op, err, nil))
		err = io.EOF
	}
	return n, err
}

func (b *answerBody) Close() error {
	_ = b.from.Close() // the library would print it, and nothing depends on it
	return nil
}

const keyHeader = "x-goog-api-key"

// authorizer puts the credentials of this moment on a request.
func authorizer(cfg Config) func(string, *http.Request) error {
	switch {
	case cfg.Vertex == nil:
		return func(op string, req *http.Request) error {
			key := cfg.APIKey()
			if key == "" {
				return &ports.Error{Op: op, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errors.New("there is no API key")}
			}
			req.Header.Set(keyHeader, key)
			return nil
		}
	case cfg.Vertex.Credentials == nil:
		return func(_ string, req *http.Request) error {
			req.Header.Del(keyHeader)
			return nil
		}
	}
	creds, quota := cfg.Vertex.Credentials, quotaProject(cfg.Vertex.Credentials)
	return func(op string, req *http.Request) error {
		token, err := creds.Token(req.Context())
		if err != nil {
			return tokenError(op, err)
		}
		req.Header.Del(keyHeader)
		req.Header.Set("Authorization", "Bearer "+token.Value)
		if quota != "" {
			req.Header.Set("X-Goog-User-Project", quota)
		}
		return nil
	}
}

// quotaProject is the project whose quota a person's credentials use, as gcloud
// wrote it into their file. Credentials.QuotaProjectID would ask the environment.
func quotaProject(creds *auth.Credentials) string {
	var file struct {
		Quota string `json:"quota_project_id"`
	}
	_ = json.Unmarshal(creds.JSON(), &file) // credentials without a file have none
	return file.Quota
}

// tokenError leaves out the text of the error: it quotes the token server.
func tokenError(op string, err error) error {
	e := httpstatus.FromDo(op, err, nil)
	var refusal *auth.Error
	if errors.As(err, &refusal) && refusal.Response != nil {
		e = &ports.Error{Op: op, Kind: httpstatus.Kind(refusal.Response.StatusCode), Err: errors.New("the token server gives no access token")}
		if e.Kind == ports.KindInvalid || e.Kind == ports.KindNotFound {
			e.Kind = ports.KindDenied // "invalid_grant" comes as 400
		}
	}
	e.Scope = ports.ScopeAccount
	return e
}
