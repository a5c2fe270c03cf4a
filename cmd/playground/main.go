// Command playground runs the bot together with a simulated WhatsApp, in one
// process: no keys, no account, no server. It prints the page to open. What goes
// between the two is the real protocol over loopback.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/test/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	getenv, err := bot.Environment(".env")
	if err == nil {
		err = run(ctx, getenv, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

// The credentials of the simulated account. They open nothing.
const (
	accessToken = "playground-access-token"
	appSecret   = "playground-app-secret"
	verifyToken = "playground-verify-token"
	numberID    = "106500000000001"
)

// defaultPage is where the page is unless PLAYGROUND_ADDR says otherwise. Only
// this machine can reach it: whoever opens it is the customer, the operator and
// Meta at once.
const defaultPage = "127.0.0.1:8090"

// run starts both sides and stops the bot first, so that what it still sends has
// somebody to take it.
func run(ctx context.Context, getenv settings.Getenv, stdout io.Writer) error {
	page := defaultPage
	if v := getenv("PLAYGROUND_ADDR"); v != "" {
		page = v
	}
	listener, err := net.Listen("tcp", page)
	if err != nil {
		return fmt.Errorf("PLAYGROUND_ADDR: %w", err)
	}
	base := "http://" + listener.Addr().String()

	sim, err := simulator.New(simulator.Config{
		BusinessName: "whatsapp-node", DisplayPhone: "15550100200", PhoneNumberID: numberID, WABAID: "109900112233445",
		AccessToken: accessToken, AppSecret: appSecret, VerifyToken: verifyToken, BaseURL: base,
		RetrySchedule: simulator.FastRetries(), Seed: uint64(time.Now().UnixNano()),
	})
	if err != nil {
		return err
	}
	if _, err := sim.AddUser(simulator.UserSpec{Name: "You"}); err != nil {
		return err
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	defer func() {
		_ = sim.Close()
		_ = server.Close()
		<-serving
	}()
	if err := sim.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}

	dir, keep := dataDir(getenv)
	if !keep {
		defer os.RemoveAll(dir)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-serving:
			serving <- err
			return fmt.Errorf("the page stopped: %w", err)
		}
	})
	g.Go(func() error {
		defer fmt.Fprintln(stdout, "Bye.")
		err := bot.Run(ctx, overlay(getenv, defaults(getenv, base, dir)), "", stdout, bot.Options{
			Observer: newTimeline(sim.Timeline),
			Ready:    func(r bot.Running) { greet(stdout, sim, r, base) },
		})
		if err == nil && ctx.Err() == nil {
			return errors.New("the bot stopped by itself")
		}
		return err
	})
	return g.Wait()
}

// defaults are the settings of the playground; the environment wins over them.
func defaults(getenv settings.Getenv, base, dir string) map[string]string {
	port := getenv("PORT")
	if port == "" {
		port = "8080"
	}
	return map[string]string{
		"WHATSAPP_ACCESS_TOKEN": accessToken, "WHATSAPP_APP_SECRET": appSecret,
		"WHATSAPP_VERIFY_TOKEN": verifyToken, "WHATSAPP_PHONE_NUMBER_ID": numberID,
		"GRAPH_BASE_URL": base, "MEDIA_HOSTS": "127.0.0.1",
		"LISTEN_ADDR": "127.0.0.1:" + port, "ADMIN_ADDR": "127.0.0.1:9090", "STORE_PATH": filepath.Join(dir, "playground.db"),
		"LOG_FORMAT": "console", "LOG_LEVEL": "info",
	}
}

// fixed are settings that must fit the simulated account, whatever a .env file for
// a real one says.
var fixed = map[string]bool{
	"WHATSAPP_ACCESS_TOKEN": true, "WHATSAPP_APP_SECRET": true, "WHATSAPP_VERIFY_TOKEN": true, "WHATSAPP_PHONE_NUMBER_ID": true,
	"GRAPH_BASE_URL": true, "MEDIA_HOSTS": true, "AGENTS": true, // with the suffix taken off, as below
}

func overlay(getenv settings.Getenv, defaults map[string]string) settings.Getenv {
	return settings.Overlay(func(name string) string {
		if fixed[strings.TrimSuffix(name, "_FILE")] {
			return ""
		}
		return getenv(name)
	}, defaults)
}

// dataDir is where the playground's store is: a folder of its own for each run, so
// that a new run starts with an empty chat as the page does. STORE_PATH keeps it.
func dataDir(getenv settings.Getenv) (dir string, keep bool) {
	if v := getenv("STORE_PATH"); v != "" {
		return filepath.Dir(v), true
	}
	dir, err := os.MkdirTemp("", "whatsapp-node-playground-")
	if err != nil {
		return ".", true
	}
	return dir, false
}

// greet tells the simulator where the bot is, and the person where the page is.
func greet(stdout io.Writer, sim *simulator.Simulator, r bot.Running, base string) {
	sim.SetNotices(r.Notices)
	webhook := "http://" + r.Addr.String() + "/webhook"
	if err := sim.SetWebhookURL(webhook); err != nil {
		fmt.Fprintln(stdout, "the simulator refuses the webhook address:", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := sim.VerifyWebhook(ctx); err != nil {
		fmt.Fprintln(stdout, "the webhook handshake failed:", err)
	}
	fmt.Fprintf(stdout, "\n  Open %s and write or speak to the bot. Ctrl-C stops it.\n", base)
	fmt.Fprintf(stdout, "  The bot listens on %s; hears with %s, thinks with %s, speaks with %s.\n",
		r.Addr, r.Vendors["STT"], r.Vendors["LLM"], r.Vendors["TTS"])
	for _, n := range r.Notices {
		fmt.Fprintf(stdout, "  %s\n", n)
	}
	fmt.Fprintln(stdout)
}
