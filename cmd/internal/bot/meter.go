package bot

import (
	"sync"
	"time"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/pricing"
)

// meter says what an attempt at a vendor cost at list price.
type meter struct {
	cfg    Config
	prices *pricing.List
	// sold are the products by stage and vendor; they follow from the settings.
	sold sync.Map // [2]string -> product
}

func newMeter(cfg Config) (*meter, error) {
	prices, err := pricing.BuiltIn()
	if err != nil {
		return nil, err
	}
	return &meter{cfg: cfg, prices: prices}, nil
}

// stageOf maps the decorators' operations to the stages of the settings.
var stageOf = map[string]string{decorate.OperationLLM: "LLM", decorate.OperationSTT: "STT", decorate.OperationTTS: "TTS"}

// product is what a vendor is asked for in a stage.
func (m *meter) product(operation, vendor string) product {
	key := [2]string{operation, vendor}
	if p, ok := m.sold.Load(key); ok {
		return p.(product)
	}
	p := (&checker{cfg: m.cfg}).product(stageOf[operation], vendor)
	m.sold.Store(key, p)
	return p
}

// cost is what an attempt cost, and whether that is known. An attempt that failed
// counts with the tokens its vendor named: whether the rest is billed nobody knows.
func (m *meter) cost(c decorate.Call, p product, now time.Time) (pricing.Amount, bool) {
	if p.free {
		return 0, true
	}
	if c.Err != nil && c.Usage.Input+c.Usage.Output == 0 || p.unlisted || p.model == "" {
		return 0, false
	}
	listed, ok := m.prices.Find(p.provider, either(p.sold, p.model), now)
	if !ok {
		return 0, false
	}
	return listed.Cost(useOf(c))
}

// useOf is what an attempt consumed, from what was measured of it.
func useOf(c decorate.Call) pricing.Use {
	switch c.Operation {
	case decorate.OperationSTT:
		return hearing(c.Audio)
	case decorate.OperationTTS:
		return spoken(c.Characters, c.Audio)
	}
	return pricing.Use{InputTokens: c.Usage.Input, OutputTokens: c.Usage.Output}
}
