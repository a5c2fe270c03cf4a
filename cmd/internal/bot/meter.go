package bot

import (
	"sync"
	"time"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/pricing"
	"whatsappnode/domain"
)

// meter says what an attempt at a vendor cost, for metrics and traces.
type meter struct {
	tariff *tariff // of the settings that the engines were made by
	// sold are the products by stage and vendor; they follow from the settings.
	sold sync.Map // [2]string -> product
}

// stageOf maps the decorators' operations to the stages of the settings.
var stageOf = map[string]string{decorate.OperationLLM: "LLM", decorate.OperationSTT: "STT", decorate.OperationTTS: "TTS"}

// product is what a vendor is asked for in a stage.
func (m *meter) product(operation, vendor string) product {
	key := [2]string{operation, vendor}
	if p, ok := m.sold.Load(key); ok {
		return p.(product)
	}
	p := (&checker{cfg: m.tariff.cfg}).product(stageOf[operation], vendor)
	m.sold.Store(key, p)
	return p
}

// cost is what an attempt cost, and whether that is known. An attempt that failed
// counts with the tokens its vendor named: whether the rest is billed nobody knows. A
// model whose tokens nobody counted has answered at a price that is not known.
func (m *meter) cost(c decorate.Call, p product, now time.Time) (domain.Money, bool) {
	if c.Usage.Input+c.Usage.Output == 0 && (c.Err != nil || c.Operation == decorate.OperationLLM) {
		return 0, p.free
	}
	price, free, ok := m.tariff.price(p, now)
	if free || !ok {
		return 0, ok
	}
	return price.Cost(useOf(c))
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
