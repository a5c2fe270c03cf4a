package bot

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/httpstatus"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/app"
	"whatsappnode/ports"
)

// emptyWebhook is a webhook as Meta signs them, without any update: whoever takes it
// answers "ignored" and stores nothing.
const emptyWebhook = `{"object":"whatsapp_business_account","entry":[]}`

// maxWebhookAnswer bounds what is read of an answer.
const maxWebhookAnswer = 4 << 10

// credential is a secret and the variable that holds it.
type credential struct{ variable, value string }

// appCredentials are the app secrets in force, each once.
func (all agents) appCredentials() []credential {
	return all.collect(varAppSecret, func(a agent) []string { return appSecrets(a)() })
}

// verifyCredentials are the verify tokens, each once.
func (all agents) verifyCredentials() []credential {
	return all.collect(varVerifyToken, func(a agent) []string { return []string{a.verifyToken.Current()} })
}

func (all agents) collect(standard string, values func(agent) []string) []credential {
	var out []credential
	for _, a := range all {
		for _, v := range values(a) {
			if c := (credential{a.variable(standard), v}); v != "" && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// ownWebhook serves the webhook on a port of this machine that nobody else knows, and
// calls it as Meta would. Without a store it still shows that signatures are judged: a
// body without updates does not reach the store.
func (c *checker) ownWebhook(ctx context.Context, s store) finding {
	f := finding{Check: "webhook", Subject: "in this process"}
	secrets, tokens := c.all.appCredentials(), c.all.verifyCredentials()
	switch {
	case len(secrets) == 0:
		f.skip("not tried: there is no app secret", "set "+varAppSecret)
	case len(tokens) == 0:
		f.skip("not tried: there is no verify token", "set "+varVerifyToken)
	default:
		f = c.timed(ctx, f, func(ctx context.Context, f *finding) {
			err := c.serve(ctx, s, func(base string) error { return knockAll(ctx, base, secrets, tokens, true) })
			if err != nil {
				f.fail(err.Error(), webhookToDo(err))
				return
			}
			f.ok("signed 200 ignored, wrongly signed 401, handshake answered")
		})
	}
	return f
}

// serve runs the listener while do runs.
func (c *checker) serve(ctx context.Context, s store, do func(base string) error) error {
	hook, err := newWebhook(c.all)
	if err != nil {
		return err
	}
	server, err := echohttp.New(echohttp.Options{
		Addr: "127.0.0.1:0", Webhook: hook, Intake: app.NewIntake(s, s, ports.Observers{}, nil), Log: zap.NewNop(),
		Limits: echohttp.Limits{MaxBody: int64(c.cfg.HTTP.MaxBody)},
	})
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Run(ctx) }()
	err = do("http://" + server.Addr().String() + "/webhook")
	stop()
	return errors.Join(err, <-served)
}

// publicWebhook calls the address that Meta calls. What answers there is a bot that
// runs, with the same secrets if all is well.
func (c *checker) publicWebhook() []task {
	if c.opt.URL == "" {
		return nil
	}
	return []task{func(ctx context.Context) []finding {
		f := finding{Check: "webhook", Subject: "public"}
		base, err := publicURL(c.opt.URL)
		secrets, tokens := c.all.appCredentials(), c.all.verifyCredentials()
		switch {
		case err != nil:
			f.fail(err.Error(), "correct --url")
		case len(secrets) == 0 || len(tokens) == 0:
			f.skip("not tried: there is no app secret or no verify token", "set "+varAppSecret+" and "+varVerifyToken)
		default:
			f.Subject = base.Host
			f = c.timed(ctx, f, func(ctx context.Context, f *finding) {
				if err := knockAll(ctx, base.String(), secrets, tokens, false); err != nil {
					f.fail(err.Error(), webhookToDo(err))
					return
				}
				f.ok("signed 200 ignored, handshake answered")
			})
		}
		return []finding{f}
	}}
}

// publicURL reads --url. The verify token travels in it, so it must be encrypted
// unless it stays on this machine; Meta calls https only.
func publicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address is not of the form https://host/webhook")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return nil, errors.New("the address must begin with https://, as Meta calls no other")
	}
	return u, nil
}

// knockError is an answer that was not the right one.
type knockError struct {
	what   string // was sent
	status int
	want   string
	fault  string // the variable that is wrong, if it is one
}

func (e *knockError) Error() string {
	return fmt.Sprintf("%s was answered with status %d, not with %s", e.what, e.status, e.want)
}

// knockAll calls a webhook with every app secret and every verify token.
func knockAll(ctx context.Context, base string, secrets, tokens []credential, wrongly bool) error {
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // Meta follows none
	}
	defer client.CloseIdleConnections()
	for _, s := range secrets {
		status, body, err := knock(ctx, client, http.MethodPost, base, whatsapp.Sign(s.value, []byte(emptyWebhook)))
		if err != nil {
			return err
		}
		var answer struct{ Status string }
		if status != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.Status != "ignored" {
			return &knockError{"a body signed with " + s.variable, status, `200 {"status":"ignored"}`, s.variable}
		}
	}
	if wrongly {
		status, _, err := knock(ctx, client, http.MethodPost, base, whatsapp.Sign(rand.Text(), []byte(emptyWebhook)))
		if err != nil {
			return err
		}
		if status != http.StatusUnauthorized {
			return &knockError{"a body that is signed wrongly", status, "401", ""}
		}
	}
	for _, t := range tokens {
		challenge := rand.Text()
		query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {t.value}, "hub.challenge": {challenge}}
		status, body, err := knock(ctx, client, http.MethodGet, base+"?"+query.Encode(), "")
		if err != nil {
			return err
		}
		if status != http.StatusOK || string(body) != challenge {
			return &knockError{"the handshake with " + t.variable, status, "200 and its challenge", t.variable}
		}
	}
	return nil
}

// knock makes one call; its error never holds the address, which can hold a token.
func knock(ctx context.Context, client *http.Client, method, address, signature string) (int, []byte, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader([]byte(emptyWebhook))
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return 0, nil, errors.New("the request cannot be built")
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(whatsapp.SignatureHeader, signature)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, httpstatus.FromDo("webhook", err, nil)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxWebhookAnswer))
	if err != nil {
		return 0, nil, httpstatus.FromDo("webhook", err, nil)
	}
	return resp.StatusCode, answer, nil
}

func webhookToDo(err error) string {
	var k *knockError
	switch {
	case !errors.As(err, &k):
		return "see that the address leads to the bot: name resolution, certificate, firewall, load balancer"
	case k.status == http.StatusNotFound || k.status == http.StatusMethodNotAllowed || k.status/100 == 3:
		return "correct the path: the bot listens at /webhook, and Meta follows no redirects"
	case k.status/100 == 5:
		return "see that the bot behind the address runs and is ready: GET /ready"
	case k.fault != "":
		return fmt.Sprintf("give the bot behind the address the same %s as here", k.fault)
	}
	return "see what answers at the address: it is not this program"
}
