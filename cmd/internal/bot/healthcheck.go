package bot

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"whatsappnode/adapters/settings"
)

// healthcheckTimeout is below the three seconds the container image allows.
const healthcheckTimeout = 2 * time.Second

// Healthcheck asks the bot on this machine whether it lives. An image without a
// shell has nothing else to ask with. It reads only the listener's settings, so it
// works without the credentials.
func Healthcheck(ctx context.Context, getenv settings.Getenv) error {
	var cfg Config
	if err := settings.Load(getenv, &cfg.HTTP); err != nil {
		return settingsError([]error{err})
	}
	host, port, err := net.SplitHostPort(cfg.listenAddr())
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/live", nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: the bot answered %d", resp.StatusCode)
	}
	return nil
}
