package bot

import (
	"errors"
	"fmt"
	"os"
	"time"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/pricing"
	"whatsappnode/domain"
)

// tariff says what everything costs: by the operator's own prices where there are some,
// else by the list prices.
type tariff struct {
	cfg    Config
	listed *pricing.List
	own    *pricing.List // nil: there is no PRICES_FILE
}

func newTariff(cfg Config) (*tariff, error) {
	t := &tariff{cfg: cfg}
	var err error
	if t.listed, err = pricing.BuiltIn(); err != nil {
		return nil, err
	}
	if cfg.Budget.PricesFile == "" {
		return t, nil
	}
	raw, err := os.ReadFile(cfg.Budget.PricesFile)
	if err != nil {
		return t, fmt.Errorf("PRICES_FILE: it cannot be read: %w", errors.Unwrap(err))
	}
	if t.own, err = pricing.Parse(raw); err != nil {
		return t, fmt.Errorf("PRICES_FILE: %w", err)
	}
	return t, nil
}

// anyModel is how a prices file names every model of a provider.
const anyModel = "*"

// price finds what a product costs now; free tells that it costs nothing.
func (t *tariff) price(p product, now time.Time) (found pricing.Price, free, ok bool) {
	model := either(p.sold, p.model)
	if t.own != nil {
		for _, name := range []string{model, anyModel} {
			if found, ok = t.own.Find(p.provider, name, now); ok {
				return found, false, true
			}
		}
	}
	if p.free {
		return pricing.Price{}, true, true
	}
	if p.unlisted || model == "" {
		return pricing.Price{}, false, false
	}
	found, ok = t.listed.Find(p.provider, model, now)
	return found, false, ok
}

// sold is what a provider sells in a stage, as a meter needs it.
func (t *tariff) sold(stage, provider string) decorate.Product {
	p := (&checker{cfg: t.cfg}).product(stage, provider)
	return decorate.Product{Vendor: provider, Price: func(use domain.Use) (domain.Money, bool) {
		price, free, ok := t.price(p, time.Now())
		if free || !ok {
			return 0, ok
		}
		switch stage {
		case "STT":
			use = hearing(use.Heard)
		case "TTS":
			use = spoken(use.Characters, use.Spoken)
		}
		return price.Cost(use)
	}}
}

// fee is what Meta charges for a message.
func (t *tariff) fee(to domain.Phone, category string) (domain.Money, bool) {
	now := time.Now()
	if t.own != nil {
		if fee, ok := t.own.Fee(to, category, now); ok {
			return fee, true
		}
	}
	return t.listed.Fee(to, category, now)
}
