package pricing

import (
	_ "embed"
	"sync"
	"time"
)

// List is a price list. It does not change and may be used concurrently.
type List struct {
	prices map[key][]Price // in order of time
	fees   map[feeKey][]Price
}

type key struct{ provider, model string }

//go:embed prices.yaml
var embedded []byte

var builtIn = sync.OnceValues(func() (*List, error) { return Parse(embedded) })

// BuiltIn is the list that is part of the program.
func BuiltIn() (*List, error) { return builtIn() }

// Find returns the price of a model at a provider on a day, and whether there is one.
// The provider is named as in LLM_PROVIDER, STT_PROVIDER and TTS_PROVIDER, the model
// as its vendor names it, in full.
func (l *List) Find(provider, model string, at time.Time) (Price, bool) {
	for _, p := range l.prices[key{provider, model}] {
		if p.holds(at) {
			return p, true
		}
	}
	return Price{}, false
}
