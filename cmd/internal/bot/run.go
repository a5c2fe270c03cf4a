package bot

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Version is set by the linker.
var Version = "dev"

// Options let the playground and the tests look into a running bot. All are
// optional.
type Options struct {
	// Environ is the whole environment as os.Environ gives it, to find misspelt
	// variables in.
	Environ []string

	// Observer is told of every event, beside the log.
	Observer ports.ObserverPort
	// Ready is called once, when the listener takes requests.
	Ready func(Running)
}

// Running describes a bot that is up.
type Running struct {
	Addr    net.Addr
	Notices []string          // what a person should know, such as demo engines
	Vendors map[string]string // stage -> provider
}

// Run builds the bot from its settings, serves until ctx ends, and stops: first
// the webhook and the leasing, then the turns in hand, at last the store. A wrong
// setting is an error that lists all of them.
func Run(ctx context.Context, getenv settings.Getenv, role string, stdout io.Writer, opt Options) (err error) {
	cfg, faults := load(getenv, role)
	chosen, more := chooseVendors(cfg)
	if faults = append(faults, more...); len(faults) > 0 {
		return settingsError(faults)
	}
	log, err := telemetry.NewLogger(cfg.Log.Format, cfg.Log.Level, stdout, telemetry.Options{Service: "whatsapp-node", Version: Version})
	if err != nil {
		return settingsError([]error{fmt.Errorf("LOG_FORMAT or LOG_LEVEL: %w", err)})
	}
	defer func() { _ = log.Sync() }()
	for _, s := range settings.Unknown(opt.Environ, settings.Describe(Config{}), prefixes) {
		log.Warn("unknown setting", zap.Stringer("variable", s))
	}

	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	messenger, err := newMessenger(cfg)
	if err != nil {
		return settingsError([]error{err})
	}
	observer, flush, err := observers(cfg, log, opt)
	if err != nil {
		return err
	}
	defer flush()
	responder, err := app.NewResponder(app.Deps{
		Inbox: store, Messenger: paced(cfg, messenger, store, log), LLM: chosen.llm, STT: chosen.stt, TTS: chosen.tts, Observer: observer,
	}, dialogue(cfg))
	if err != nil {
		return err
	}
	server, err := newServer(cfg, store, messenger, observer, log)
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	admin, err := newAdmin(cfg, server, log)
	if err != nil {
		return err
	}

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Run(gctx) })
	if admin != nil {
		g.Go(func() error { return admin.Run(gctx) })
	}
	if cfg.Role != roleServe {
		g.Go(func() error {
			return app.NewWorker(store, responder, observer, cfg.Dialogue.Workers, cfg.HTTP.DrainTimeout).Run(gctx)
		})
	}
	server.Started()
	announce(log, cfg, server.Addr(), admin, chosen)
	if opt.Ready != nil {
		opt.Ready(Running{Addr: server.Addr(), Notices: chosen.notices, Vendors: chosen.names})
	}
	err = g.Wait()
	log.Info("stopped", zap.Error(err))
	return err
}

// dialogue turns the settings into the rules of the slow half.
func dialogue(cfg Config) app.Options {
	d := cfg.Dialogue
	return app.Options{
		SystemPrompt: d.SystemPrompt, Languages: d.Languages, ReplyMode: d.ReplyMode, Fallback: d.Fallback,
		Memory:      domain.Memory{Messages: d.HistoryMessages, Tokens: d.HistoryTokens},
		TurnTimeout: d.TurnTimeout, MaxSpokenChars: d.MaxSpokenChars, SettleWait: d.SettleWait, SendPolicy: d.SendPolicy,
		CheckNote: func(clip domain.Audio) error { return oggopus.Check(clip.Bytes()) },
		NewID:     rand.Text,
	}
}

func newMessenger(cfg Config) (*whatsapp.Messenger, error) {
	w := cfg.WhatsApp
	m, err := whatsapp.New(whatsapp.Config{
		AccessToken: w.AccessToken.Current, PhoneNumberID: domain.NumberID(w.PhoneNumberID), BaseURL: w.GraphBaseURL,
		APIVersion: w.GraphVersion, MediaHosts: w.MediaHosts, MaxMediaBytes: int64(w.MaxMedia),
	}, &http.Client{Transport: graphTransport()})
	if err != nil {
		return nil, fmt.Errorf("GRAPH_BASE_URL, GRAPH_API_VERSION or MEDIA_HOSTS: %w", err)
	}
	return m, nil
}

// graphTransport keeps enough connections warm that a send never waits for a
// handshake, and bounds each step of one that must be made.
func graphTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 256, MaxIdleConnsPerHost: 128, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// observers gives the log, and whoever else wants to know, what happens. The
// returned function ends the log's goroutine; called last, it sees everything.
func observers(cfg Config, log *zap.Logger, opt Options) (ports.ObserverPort, func(), error) {
	refs, err := telemetry.NewRefs(hashKey(cfg))
	if err != nil {
		return nil, nil, settingsError([]error{fmt.Errorf("LOG_HASH_KEY: %w", err)})
	}
	events, err := telemetry.NewEventLogger(log, refs)
	if err != nil {
		return nil, nil, err
	}
	all := ports.Observers{events}
	if opt.Observer != nil {
		all = append(all, opt.Observer)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = events.Run(ctx) }) // it returns nil once ctx ends
	return all, func() { cancel(); wg.Wait() }, nil
}

// newServer makes the public listener. A process that only answers has the probes
// there and no webhook.
func newServer(cfg Config, store store, messenger *whatsapp.Messenger, observer ports.ObserverPort, log *zap.Logger) (*echohttp.Server, error) {
	opt := echohttp.Options{
		Addr: cfg.listenAddr(),
		Log:  log,
		Checks: map[string]echohttp.Check{
			"store":    store.Ping,
			"whatsapp": func(context.Context) error { return messenger.Healthy() },
		},
		Limits: echohttp.Limits{MaxBody: int64(cfg.HTTP.MaxBody), DrainTimeout: cfg.HTTP.DrainTimeout},
	}
	if cfg.Role != roleWorker {
		webhook, err := whatsapp.NewWebhook(cfg.appSecrets, cfg.WhatsApp.VerifyToken.Current)
		if err != nil {
			return nil, err
		}
		opt.Webhook, opt.Intake = webhook, app.NewIntake(store, store, observer, cfg.Dialogue.BurstWindow)
	}
	return echohttp.New(opt)
}

// paced keeps the sends of all processes below Meta's limits.
func paced(cfg Config, messenger ports.MessengerPort, pacer ports.PacerPort, log *zap.Logger) ports.MessengerPort {
	return decorate.Paced(messenger, pacer, decorate.Limits{
		NumberRate: cfg.Sending.NumberRate, RecipientBurst: cfg.Sending.RecipientBurst, RecipientEvery: cfg.Sending.RecipientEvery,
		Secret:  hashKey(cfg),
		OnError: func(err error) { log.Warn("pacing failed; the send went out unpaced", zap.Error(err)) },
	})
}

func newAdmin(cfg Config, server *echohttp.Server, log *zap.Logger) (*echohttp.Admin, error) {
	if cfg.HTTP.AdminAddr == "off" {
		return nil, nil
	}
	admin, err := echohttp.NewAdmin(echohttp.AdminOptions{Addr: cfg.HTTP.AdminAddr, Readiness: server.Readiness(), Log: log})
	if err != nil {
		return nil, err
	}
	admin.Handle("GET /counters", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(server.Counters())
	}))
	if err := admin.Listen(); err != nil {
		return nil, fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	return admin, nil
}

// announce writes the one line that says what is running.
func announce(log *zap.Logger, cfg Config, addr net.Addr, admin *echohttp.Admin, chosen vendors) {
	adminAddr := "off"
	if admin != nil {
		adminAddr = admin.Addr().String()
	}
	for _, n := range chosen.notices {
		log.Warn("demo", zap.String("notice", n))
	}
	log.Info("started",
		zap.String("version", Version), zap.String("role", cfg.Role), zap.Stringer("addr", addr), zap.String("admin", adminAddr),
		zap.String("store", cfg.storeKind()), zap.String("reply_mode", string(cfg.Dialogue.ReplyMode)),
		zap.String("llm", chosen.names["LLM"]), zap.String("stt", chosen.names["STT"]), zap.String("tts", chosen.names["TTS"]),
		zap.Int("pid", os.Getpid()))
}
