package bot

import (
	"context"
	"time"

	"whatsappnode/adapters/pricing"
	"whatsappnode/adapters/settings"
	"whatsappnode/ports"
)

// Quote is what the check says of the price of one stage.
type Quote struct{ Provider, Model, Cost, Source string }

// TypicalTurns are the estimates of an environment on a day, by agent and stage,
// without a call to anybody.
func TypicalTurns(getenv settings.Getenv, now time.Time) ([]map[string]Quote, error) {
	prices, err := pricing.BuiltIn()
	if err != nil {
		return nil, err
	}
	c := &checker{prices: prices, now: now}
	if err := c.prepare(getenv); err != nil {
		return nil, err
	}
	defer c.shop.Close()
	var out []map[string]Quote
	for _, t := range c.turns() {
		parts := map[string]Quote{"together": {Cost: t.Together.sum()}}
		for _, p := range t.Parts {
			parts[p.Doing] = Quote{p.Provider, p.Model, p.Cost.String(), p.Source}
		}
		out = append(out, parts)
	}
	return out, nil
}

// Providers are all there are, each as stage and name.
func Providers() (out [][2]string) {
	for name := range llms {
		out = append(out, [2]string{"LLM", name})
	}
	for name := range stts {
		out = append(out, [2]string{"STT", name})
	}
	for name := range ttss {
		out = append(out, [2]string{"TTS", name})
	}
	return out
}

// Advice is what to do about a provider that refuses.
func Advice(stage, provider string) string {
	return (&checker{}).vendorToDo(stage, provider, &ports.Error{Kind: ports.KindDenied})
}

// Guarded runs something as a check of its own and tells how it ended.
func Guarded(do func(ctx context.Context)) (result, detail string) {
	c := &checker{opt: CheckOptions{Timeout: time.Hour}}
	f := c.timed(context.Background(), finding{}, func(ctx context.Context, f *finding) {
		do(ctx)
		f.ok("done")
	})
	return string(f.Result), f.Detail
}
