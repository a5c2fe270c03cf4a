package bot

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/metrics"
	"whatsappnode/adapters/settings"
	"whatsappnode/app"
	"whatsappnode/domain"
)

// WithVoices is withVoices.
var WithVoices = withVoices

// Agent is what the tests look at in an agent.
type Agent struct {
	Name                          string
	Number                        domain.NumberID
	Persona                       app.Persona
	Vendors                       map[string]string
	Token, AppSecret, VerifyToken settings.Source
}

// Assemble makes the agents of an environment ready.
func Assemble(getenv settings.Getenv) ([]Agent, error) {
	all, err := assembled(getenv)
	var out []Agent
	for _, a := range all {
		out = append(out, Agent{a.name, a.number, a.persona, a.engines.names, a.token, a.appSecret, a.verifyToken})
	}
	return out, err
}

// NewWebhook makes the webhook of an environment.
func NewWebhook(getenv settings.Getenv) (echohttp.Webhook, error) {
	all, err := assembled(getenv)
	if err != nil {
		return nil, err
	}
	return newWebhook(all)
}

// Waiting is how many verified bodies wait to be decoded.
func Waiting(w echohttp.Webhook) int { return len(w.(*door).signers) }

func assembled(getenv settings.Getenv) (agents, error) {
	cfg, faults := load(getenv, "")
	shop, fault := newWorkshop(cfg, &watch{})
	if fault != nil {
		faults = append(faults, fault)
		return nil, settingsError(faults)
	}
	all, more := assemble(cfg, getenv, shop.choose)
	more = append(more, shop.allow(all)...)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, settingsError(faults)
	}
	return all, nil
}

// Visits makes the watch of visits of an environment, which knows its vendors, and gives
// what a visit is told to and what a scrape shows.
func Visits(getenv settings.Getenv, log *zap.Logger) (told func(server string, err error), scrape http.Handler, err error) {
	w := &watch{metrics: metrics.New()}
	w.log.Store(log)
	cfg, faults := load(getenv, "")
	shop, err := newWorkshop(cfg, w)
	if err != nil {
		return nil, nil, err
	}
	if _, more := assemble(cfg, getenv, shop.choose); len(faults)+len(more) > 0 {
		return nil, nil, settingsError(append(faults, more...))
	}
	return shop.visits.told, w.metrics.Handler(), nil
}

// PacingFailed is what is told of a pacer that fails, and what a scrape shows.
func PacingFailed(log *zap.Logger) (told func(context.Context, decorate.PacingStep, error), scrape http.Handler) {
	w := &watch{metrics: metrics.New()}
	w.log.Store(log)
	return w.pacing, w.metrics.Handler()
}

// BitRate is bitRate.
var BitRate = bitRate

// CollectionPercent is collectionPercent.
func CollectionPercent(heap, stacks, scanned, room uint64) int {
	return collectionPercent(memoryInUse{heap: heap, stacks: stacks, scanned: scanned}, room)
}

// MemoryRoom is memoryRoom.
func MemoryRoom(limit int64, machine uint64) uint64 { return memoryRoom(limit, machine) }

// CloudRunWarnings is cloudRunWarnings of an environment.
func CloudRunWarnings(getenv settings.Getenv, role string) []string {
	cfg, _ := load(getenv, role)
	return cloudRunWarnings(cfg, getenv)
}

// AdminAPI makes the admin API of a store, in which a pause without a length lasts pauseFor.
func AdminAPI(token string, store OperatorStore, pauseFor time.Duration, log *zap.Logger) (map[string]http.Handler, error) {
	var cfg Config
	cfg.Admin.Token = settings.NewSource(settings.Secret(token))
	cfg.People.PauseFor = pauseFor
	return adminAPI(cfg, store, bytes.Repeat([]byte("k"), 32), log)
}
