package decorate_test

import (
	"context"
	"encoding/json"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
)

var (
	price   = ports.Tool{Name: "shop_price", Parameters: json.RawMessage(`{"type":"object"}`)}
	theCall = []ports.ToolCall{{ID: "1", Name: "shop_price", Arguments: json.RawMessage(`{"item":"umbrella"}`)}}
)

func offering(text string) ports.LLMRequest {
	req := asking(text)
	req.Tools = []ports.Tool{price}
	return req
}

// TestCallIsAsGoodAsWords: a model that says nothing and asks for a tool has answered,
// in time, and nobody else is asked.
func TestCallIsAsGoodAsWords(t *testing.T) {
	for name, policy := range map[string]decorate.Policy{
		"in turn": {FirstToken: 10 * time.Second, Attempts: 2}, "hedged": {FirstToken: 10 * time.Second, Hedge: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &watch{}
				policy.Observer = w.observer()
				first, second := brain(t, fake.Knobs{FirstToken: 2 * time.Second}), brain(t, fake.Knobs{})
				first.Acts(asks("", theCall))
				text, last, err := ports.Collect(models(t, policy, first, second).Generate(within(t, time.Minute), offering("hello")))
				require.NoError(t, err)
				assert.Empty(t, text)
				assert.Equal(t, theCall, last.Calls)
				assert.Zero(t, second.Count())
				require.Len(t, w.calls, 1)
				assert.Equal(t, 2*time.Second, w.calls[0].FirstToken)
				assert.Empty(t, w.went())
			})
		})
	}
}

// TestNextMayCallInPlaceOfTheFirst: a model that fails before it called is replaced.
func TestNextMayCallInPlaceOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := brain(t, fake.Knobs{})
		second.Acts(asks("", theCall))
		policy := decorate.Policy{Attempts: 1}
		_, last, err := ports.Collect(models(t, policy, brain(t, fake.Knobs{Error: ports.KindTransient}), second).Generate(within(t, time.Minute), offering("hello")))
		require.NoError(t, err)
		assert.Equal(t, theCall, last.Calls)
	})
}

// wordsOnly hides what a model can do.
type wordsOnly struct{ model ports.LLMPort }

func (w wordsOnly) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return w.model.Generate(ctx, req)
}

// TestToolsNeedEachModel: where one that may be asked cannot call tools, none is offered
// any, and none is asked.
func TestToolsNeedEachModel(t *testing.T) {
	able, unable := brain(t, fake.Knobs{}), brain(t, fake.Knobs{})
	chain := func(models ...ports.LLMPort) ports.LLMPort {
		var named []decorate.NamedLLM
		for i, m := range models {
			named = append(named, decorate.NamedLLM{Name: numbered(i), Port: m})
		}
		m, err := decorate.LLM(named, decorate.Policy{Attempts: 1})
		require.NoError(t, err)
		return m
	}
	assert.True(t, ports.CallsTools(chain(able, able)))
	mixed := chain(able, wordsOnly{unable})
	assert.False(t, ports.CallsTools(mixed))
	_, _, err := ports.Collect(mixed.Generate(t.Context(), offering("hello")))
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Zero(t, able.Count()+unable.Count())
	_, _, err = ports.Collect(mixed.Generate(t.Context(), asking("hello")))
	require.NoError(t, err, "without tools it answers")
}
