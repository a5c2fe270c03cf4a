package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/metrics"
	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/adapters/tracing"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/app"
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
	watch, err := newWatch(cfg)
	if err != nil {
		return err
	}
	shop, fault := newWorkshop(cfg, watch)
	if fault != nil {
		return settingsError(append(faults, fault))
	}
	defer func() { err = errors.Join(err, shop.Close()) }()
	all, more := assemble(cfg, getenv, shop.choose)
	more = append(more, shop.allow(all)...)
	tools, wrong := openTools(cfg, getenv, all, watch)
	if faults = slices.Concat(faults, more, wrong); len(faults) > 0 {
		return settingsError(faults)
	}
	log, err := telemetry.NewLogger(cfg.Log.Format, cfg.Log.Level, stdout, telemetry.Options{
		Service: "whatsapp-node", Version: Version, Truncated: &watch.linesCut,
		Labels: map[string]string{"role": cfg.Role},
	})
	if err != nil {
		return settingsError([]error{fmt.Errorf("LOG_FORMAT or LOG_LEVEL: %w", err)})
	}
	watch.log.Store(log)
	defer func() { _ = log.Sync() }()
	for _, s := range settings.Unknown(opt.Environ, slices.Concat(settings.Describe(Config{}), all.variables(), tools.named), prefixes) {
		log.Warn("unknown setting", zap.Stringer("variable", s))
	}

	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	messenger, err := newSwitchboard(cfg, all, shop.connections, log)
	if err != nil {
		return settingsError([]error{err})
	}
	key := hashKey(cfg, all)
	observer, flush, err := observers(key, log, opt, watch)
	if err != nil {
		return err
	}
	defer flush()
	if err := watch.trace(ctx, cfg, key); err != nil {
		return err
	}
	defer watch.close()
	all.forgetAfter(cfg.Store.RetainHistory)
	personas, err := all.personas()
	if err != nil {
		return err
	}
	books, write := keepBooks(store, shop, log)
	defer write()
	handoffs, err := newHandoffs(cfg.Handoff, shop.connections)
	if err != nil {
		return err
	}
	responder, err := app.NewResponder(app.Deps{
		Inbox: store, Controls: store, Messenger: paced(cfg, key, watch.graph(messenger), store, watch), Personas: personas, Observer: observer,
		Pacer: store, Tracer: watch.turns(),
		Ledger: store, Books: books, Handoffs: handoffs,
	}, rules(cfg, all, shop.budget()))
	if err != nil {
		return err
	}
	var take echohttp.Options
	if cfg.Role != roleWorker {
		if take.Webhook, err = newWebhook(all); err != nil {
			return err
		}
		take.Intake = tracing.Intake(app.NewIntake(store, watch.conversations(store), observer, personas).Keep(books))
	}
	watch.requests(&take)
	tools.tell(cfg, &take)
	server, err := newServer(cfg, take, store, messenger, log)
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
	if admin != nil {
		calls, err := adminAPI(cfg, store, key, log)
		if err != nil {
			return err
		}
		for pattern, call := range calls {
			admin.Handle(pattern, call)
		}
	}

	worker := app.NewWorker(store, responder, observer, cfg.Dialogue.Workers, cfg.HTTP.DrainTimeout)
	watch.expose(admin, metrics.Sources{
		Backlog: store, Breakers: breakerStates(shop.breakers), Checks: checkStates(server.Readiness()), Leases: worker.Leases,
		EventsDropped: watch.eventsDropped, LinesCut: watch.linesCut.Load, SpansLost: watch.tracer.Lost, Version: Version, Role: cfg.Role, Store: cfg.storeKind(),
	})

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Run(gctx) })
	limitMemory(log)
	if os.Getenv("GOGC") == "" { // which wins
		g.Go(func() error { return tuneCollector(gctx) })
	}
	if admin != nil {
		g.Go(func() error { return admin.Run(gctx) })
	}
	if cfg.Role != roleServe {
		g.Go(func() error { return shop.connections.Run(gctx) })
		g.Go(func() error { return worker.Run(gctx) })
		g.Go(func() error { return tools.run(gctx) })
	}
	g.Go(func() error { return watchSecrets(gctx, followed(cfg, all), log) })
	server.Started()
	for _, w := range cloudRunWarnings(cfg, getenv) {
		log.Warn("cloud run", zap.String("warning", w))
	}
	announce(log, cfg, server.Addr(), admin, all)
	if opt.Ready != nil {
		opt.Ready(Running{Addr: server.Addr(), Notices: all.notices(), Vendors: all.vendors()})
	}
	err = g.Wait()
	log.Info("stopped", zap.Error(err))
	return err
}

// rules turns the settings into those rules of the slow half that hold for every
// number.
func rules(cfg Config, all agents, budget app.Budget) app.Options {
	return app.Options{
		SettleWait: cfg.Dialogue.SettleWait, SendPolicy: cfg.Dialogue.SendPolicy,
		TakesStatuses: cfg.Role == roleAll,
		SpeakParallel: cfg.Dialogue.SpeakParallel, Notes: voicenote.Maker{}, Clips: voicenote.Meter{}, Secrets: secrets(cfg, all), NewID: rand.Text, Budget: budget,
	}
}

// observers gives the log, and whoever else wants to know, what happens. The
// returned function ends the log's goroutine; called last, it sees everything.
func observers(key []byte, log *zap.Logger, opt Options, w *watch) (ports.ObserverPort, func(), error) {
	refs, err := telemetry.NewRefs(key)
	if err != nil {
		return nil, nil, settingsError([]error{fmt.Errorf("LOG_HASH_KEY: %w", err)})
	}
	events, err := telemetry.NewEventLogger(log, refs)
	if err != nil {
		return nil, nil, err
	}
	events.InProject(w.project)
	w.refs = refs
	w.eventsDropped = events.Dropped
	all := ports.Observers{events}
	if w.metrics != nil {
		all = append(all, w.metrics)
	}
	if opt.Observer != nil {
		all = append(all, opt.Observer)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = events.Run(ctx) }) // it returns nil once ctx ends
	return all, func() { cancel(); wg.Wait() }, nil
}

// newServer makes the public listener. A process that only answers takes no webhooks
// and has the probes there alone.
func newServer(cfg Config, take echohttp.Options, store store, messenger *switchboard, log *zap.Logger) (*echohttp.Server, error) {
	take.Addr, take.Log = cfg.listenAddr(), log
	take.Checks = map[string]echohttp.Check{
		"store":    store.Ping,
		"whatsapp": func(context.Context) error { return messenger.Healthy() },
	}
	take.Limits = echohttp.Limits{MaxBody: int64(cfg.HTTP.MaxBody), MaxConnections: cfg.HTTP.MaxConns, DrainDelay: cfg.HTTP.DrainDelay, DrainTimeout: cfg.HTTP.DrainTimeout}
	return echohttp.New(take)
}

// paced keeps the sends of all processes below Meta's limits.
func paced(cfg Config, key []byte, messenger ports.MessengerPort, pacer ports.PacerPort, w *watch) ports.MessengerPort {
	return decorate.Paced(messenger, pacer, decorate.Limits{
		NumberRate: cfg.Sending.NumberRate, RecipientBurst: cfg.Sending.RecipientBurst, RecipientEvery: cfg.Sending.RecipientEvery,
		Secret: key, OnError: w.pacing,
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
	if err := admin.Listen(); err != nil {
		return nil, fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	return admin, nil
}

// announce writes the line that says what is running, and one for each number of an
// agents file.
func announce(log *zap.Logger, cfg Config, addr net.Addr, admin *echohttp.Admin, all agents) {
	adminAddr := "off"
	if admin != nil {
		adminAddr = admin.Addr().String()
	}
	for _, n := range all.notices() {
		log.Warn("demo", zap.String("notice", n))
	}
	for _, a := range all {
		if a.number == "" {
			continue
		}
		log.Info("agent", zap.String("agent", a.name), zap.String("phone_number_id", string(a.number)), zap.Strings("languages", a.persona.Languages),
			zap.String("reply_mode", string(a.persona.ReplyMode)),
			zap.String("llm", a.engines.names["LLM"]), zap.String("stt", a.engines.names["STT"]), zap.String("tts", a.engines.names["TTS"]))
	}
	if cfg.Role != roleServe && cfg.Handoff.URL == "" && all.handOver() {
		log.Info("handoff", zap.String("notice", handoffNotice))
	}
	names := all.vendors()
	log.Info("started",
		zap.String("version", Version), zap.String("role", cfg.Role), zap.Stringer("addr", addr), zap.String("admin", adminAddr),
		zap.String("store", cfg.storeKind()), zap.Int("agents", len(all)), zap.String("reply_mode", all.replyModes()),
		zap.String("llm", names["LLM"]), zap.String("stt", names["STT"]), zap.String("tts", names["TTS"]),
		zap.Int("pid", os.Getpid()))
}
