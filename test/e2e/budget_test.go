package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// prices of the fake vendors: a spoken answer of these tests costs some six tenths of
// a cent, a written one three and a cheap one two, with two for its message.
const e2ePrices = `
prices:
  - providers: [fake]
    page: A contract
    url: https://example.com/contract
    read: 2026-11-01
    models:
      - {names: ["*"], input: 0.01, output: 250.00, per_minute: 0.10, per_million_characters: 200.00}
messages:
  - page: A card
    url: https://example.com/card
    read: 2026-11-01
    rates:
      - {countries: ["*"], category: service, price: 0.002}
`

// onBudget are the settings of a tiny budget.
func onBudget(t *testing.T, day string) settings {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(path, []byte(e2ePrices), 0o600))
	return settings{
		"PRICES_FILE": path, "BUDGET_DAY": day, "BUDGET_LLM_PROVIDER": "offline", "HISTORY_TOKENS": "0",
		"LOOP_TURNS": "0", "RATE_LIMIT_MESSAGES": "0",
	}
}

// spentInDollars asks the costs command, beside the running bot.
func (b *bot) spentInDollars(t *testing.T) (total float64, stages map[string]int) {
	t.Helper()
	out := invoke(t, b.env, "costs", "--json", "--days", "2")
	require.Zero(t, out.code, out.stderr)
	var costs struct {
		Entries []struct {
			Stage string
			Calls int
		}
		Total struct{ Dollars float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(out.stdout), &costs))
	stages = map[string]int{}
	for _, e := range costs.Entries {
		stages[e.Stage] += e.Calls
	}
	return costs.Total.Dollars, stages
}

const (
	e2eSentence = "Sorry, I can't answer any more today. Please write to us again tomorrow."
	oneTurn     = 0.012 // far more than a turn costs at these prices
)

// TestTinyBudgetIsWalkedDown: voice, text, a cheaper model, one sentence, silence.
func TestTinyBudgetIsWalkedDown(t *testing.T) {
	t.Parallel()
	redis := redisserver.Start(t, redisserver.Options{})
	for name, store := range map[string]settings{"embedded": {}, "redis": {"REDIS_URL": redis.URL()}} {
		t.Run(name, func(t *testing.T) {
			b := start(t, onBudget(t, "0.10"), store, settings{"ADMIN_ADDR": freeAddress(t)})
			ana := b.user(t)
			var rungs []string
			said := 0
			for len(rungs) < 60 && (len(rungs) == 0 || rungs[len(rungs)-1] != "sentence") {
				ana.writes("hello")
				said++
				switch m := ana.gets(); {
				case m.Type == "audio":
					rungs = append(rungs, "voice")
				case m.Text == "You said: hello":
					rungs = append(rungs, "text")
				case m.Text == e2eSentence:
					rungs = append(rungs, "sentence")
				default:
					rungs = append(rungs, "cheaper")
				}
			}
			var order []string
			for i, r := range rungs {
				if i == 0 || r != rungs[i-1] {
					order = append(order, r)
				}
			}
			require.Equal(t, []string{"voice", "text", "cheaper", "sentence"}, order, "%v", rungs)
			ana.writes("hello")
			b.logs("turn.dropped", 1)
			require.Equal(t, "budget", b.events("turn.dropped")[0].str("reason"))
			require.Len(t, b.events("budget.near"), 1)
			require.Len(t, b.events("budget.reached"), 1)

			b.idle()
			var total float64
			eventually(t, "the books are complete", func() bool {
				spent, stages := b.spentInDollars(t)
				total = spent
				return stages["whatsapp"] == said
			})
			require.Greater(t, total, 0.08)
			require.LessOrEqual(t, total, 0.10+oneTurn)
			s := b.scrape(t)
			require.EqualValues(t, 1, s[`budget_marks_total{budget="day",mark="near"}`])
			require.EqualValues(t, 1, s[`budget_marks_total{budget="day",mark="reached"}`])
		})
	}
}

// TestCrowdPassesTheBudgetByOneTurnAtMost, with two processes on one Redis.
func TestCrowdPassesTheBudgetByOneTurnAtMost(t *testing.T) {
	t.Parallel()
	redis := redisserver.Start(t, redisserver.Options{})
	env := onBudget(t, "0.05").with(settings{"REDIS_URL": redis.URL(), "FAKE_KNOBS": "ttft=100ms"})
	b := start(t, env)
	second := launch(t, b.env.with(settings{"ROLE": "worker", "LISTEN_ADDR": "127.0.0.1:0"}), b.journal(), newJournal())
	defer second.kill()
	var crowd []*user
	for i := range 40 {
		u := b.user(t, simulator.UserSpec{Name: fmt.Sprintf("U%d", i)})
		u.writes("hello")
		crowd = append(crowd, u)
	}
	eventually(t, "the crowd is dealt with", func() bool {
		spent, _ := b.spentInDollars(t)
		return spent >= 0.03
	})
	for _, u := range crowd { // and once more, when the budget is nearly gone
		u.writes("hello")
	}
	eventually(t, "the budget is used", func() bool {
		spent, _ := b.spentInDollars(t)
		return spent >= 0.045
	})
	b.idle()
	spent, _ := b.spentInDollars(t)
	require.LessOrEqual(t, spent, 0.05+oneTurn)
}
