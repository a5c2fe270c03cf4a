package decorate_test

import (
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// framesOfAttempt is how much of a stack a turn may take that waits for its model, from
// here to the network, in bytes: with what the application and net/http add it must stay
// below 7 kB, or each of ten thousand turns takes a stack of 16 kB and not of 8.
const framesOfAttempt = 2700

// TestWaitingTakesLittleStack looks at what the collector scans of the stacks of calls that
// wait for a model.
func TestWaitingTakesLittleStack(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("frames are larger with the race detector")
	}
	const calls = 200
	waiting, answer := make(chan struct{}), make(chan struct{})
	client := &http.Client{Transport: carrier(func(r *http.Request) (*http.Response, error) {
		waiting <- struct{}{}
		<-answer
		return nil, io.ErrUnexpectedEOF
	})}
	model, err := openai.NewLLM(openai.LLMConfig{BaseURL: "http://127.0.0.1:1/v1", Client: client})
	require.NoError(t, err)
	priced := decorate.MeteredLLM(model, decorate.Product{Price: func(domain.Use) (domain.Money, bool) { return 0, true }})
	llm, err := decorate.LLM([]decorate.NamedLLM{{Name: "a", Port: priced}, {Name: "b", Port: priced}}, decorate.Policy{Attempts: 1})
	require.NoError(t, err)

	before := scannedStacks()
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			req := ports.LLMRequest{Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: "hi"}}}
			_, _, err := ports.Collect(llm.Generate(ports.WithMeter(t.Context(), &tally{}), req))
			assert.Error(t, err)
		})
	}
	for range calls {
		<-waiting
	}
	each := (scannedStacks() - before) / calls
	go func() {
		for range waiting { // the second provider is asked as well
		}
	}()
	close(answer)
	wg.Wait()
	close(waiting)
	assert.Less(t, each, uint64(framesOfAttempt))
}

// scannedStacks is what is in use of all stacks.
func scannedStacks() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/scan/stack:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }
