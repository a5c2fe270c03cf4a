package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// VerifyWebhook does the GET handshake that Meta does when a callback URL is saved: the bot must answer 200 with the bare
// challenge. It returns nil when it did. One try, bounded by Config.WebhookTimeout.
func (s *Simulator) VerifyWebhook(ctx context.Context) error {
	s.mu.Lock()
	hook, challenge := s.hookURL, s.randomString(10, "123456789")
	s.mu.Unlock()
	if hook == "" {
		return errors.New("verify webhook: no webhook URL is set")
	}
	u, err := url.Parse(hook)
	if err != nil {
		return fmt.Errorf("verify webhook: %w", err)
	}
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", s.cfg.VerifyToken)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WebhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("verify webhook: the webhook URL makes no request")
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := s.hook.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the URL holds the verify token
		}
		return fmt.Errorf("verify webhook: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return fmt.Errorf("verify webhook: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("verify webhook: the bot answered %d", resp.StatusCode)
	}
	if string(body) != challenge {
		return errors.New("verify webhook: the bot did not echo the challenge")
	}
	return nil
}
