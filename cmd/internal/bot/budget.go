package bot

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // days of BUDGET_TIMEZONE where the system has no zones

	"whatsappnode/adapters/decorate"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// BudgetConfig is about what may be spent.
type BudgetConfig struct {
	UserDay    domain.Money `env:"BUDGET_USER_DAY" doc:"What one person may cost in a day at one business number, in US dollars: 0.50. Empty: no limit."`
	NumberDay  domain.Money `env:"BUDGET_NUMBER_DAY" doc:"What a business number may cost in a day, in US dollars. Empty: no limit."`
	Day        domain.Money `env:"BUDGET_DAY" doc:"What all numbers together may cost in a day, in US dollars. Empty: no limit."`
	TextAt     int          `env:"BUDGET_TEXT_AT" envDefault:"70" validate:"min=1,max=100" doc:"Percent of a budget from which answers are written and not spoken."`
	CheaperAt  int          `env:"BUDGET_CHEAPER_AT" envDefault:"85" validate:"min=1,max=100" doc:"Percent of a budget from which the model of BUDGET_LLM_MODEL or BUDGET_LLM_PROVIDER answers, where one is set."`
	SentenceAt int          `env:"BUDGET_SENTENCE_AT" envDefault:"95" validate:"min=1,max=100" doc:"Percent of a budget from which nobody is asked: a person is told once a day that there are no more answers today, and then the bot is silent."`
	LLM        string       `env:"BUDGET_LLM_PROVIDER" doc:"Who answers on the cheaper step, one of LLM_PROVIDER's names; unset: the first that answers otherwise."`
	LLMModel   string       `env:"BUDGET_LLM_MODEL" doc:"The model that provider answers with on the cheaper step; unset: its usual one."`
	Zone       string       `env:"BUDGET_TIMEZONE" envDefault:"UTC" validate:"timezone" doc:"Time zone in which a day of budgets and books begins, such as Europe/Madrid."`
	PricesFile string       `env:"PRICES_FILE" doc:"YAML file with prices of one's own, which win over the list prices: what a contract says, models that are not listed, Meta's fee by country. docs/money.md is its manual."`
}

func (b BudgetConfig) zone() *time.Location {
	zone, err := time.LoadLocation(b.Zone)
	if err != nil {
		return time.UTC // load has checked it
	}
	return zone
}

// limited reports whether anything limits what is spent at a number.
func (b BudgetConfig) limited() bool { return b.UserDay > 0 || b.NumberDay > 0 || b.Day > 0 }

// budgetFaults checks what the tags cannot say.
func budgetFaults(cfg Config) []error {
	b := cfg.Budget
	var faults []error
	if b.TextAt > b.CheaperAt || b.CheaperAt > b.SentenceAt {
		faults = append(faults, errors.New("BUDGET_TEXT_AT, BUDGET_CHEAPER_AT and BUDGET_SENTENCE_AT must not go down in this order"))
	}
	return faults
}

// budget turns the settings into the rules of the slow half.
func (w *workshop) budget() app.Budget {
	b := w.cfg.Budget
	return app.Budget{Day: b.Day, TextAt: b.TextAt, CheaperAt: b.CheaperAt, SentenceAt: b.SentenceAt, Zone: b.zone(), Fee: w.tariff.fee}
}

// allow gives every agent its budgets and says what its turns are expected to cost.
// A vendor whose price nobody knows cannot be kept to a budget: that is a fault.
func (w *workshop) allow(all agents) []error {
	var faults []error
	cheap := map[string]cheaper{} // by provider
	for i := range all {
		a := &all[i]
		if !a.budget.limited() {
			continue
		}
		a.persona.Allowance.User, a.persona.Allowance.Number = a.budget.UserDay, a.budget.NumberDay
		for _, stage := range []string{"LLM", "STT", "TTS"} {
			for name := range strings.SplitSeq(a.engines.names[stage], ",") {
				faults = append(faults, w.priced(w.tariff, stage, name)...)
			}
		}
		step, more := w.cheaper(a, cheap)
		faults = append(faults, more...)
		w.expect(a, step)
	}
	return distinct(faults)
}

// priced reports a product whose price is not known.
func (w *workshop) priced(t *tariff, stage, name string) []error {
	if name == "" || name == "none" {
		return nil
	}
	p := (&checker{cfg: t.cfg}).product(stage, name)
	if _, _, ok := t.price(p, time.Now()); ok {
		return nil
	}
	return []error{fmt.Errorf("BUDGET_USER_DAY, BUDGET_NUMBER_DAY and BUDGET_DAY need to know what %s of %s_PROVIDER costs (model %q): add it to PRICES_FILE", name, stage, p.model)}
}

// cheaper is the model of the cheaper step; the zero value is none.
type cheaper struct {
	port  ports.LLMPort
	price func(domain.Use) (domain.Money, bool)
}

// cheaper makes the model of the cheaper step, once for all agents it serves.
func (w *workshop) cheaper(a *agent, made map[string]cheaper) (cheaper, []error) {
	b := w.cfg.Budget
	variable := "BUDGET_LLM_PROVIDER"
	switch {
	case b.LLM == "" && b.LLMModel == "":
		return cheaper{}, nil
	case b.LLM == "":
		variable = "BUDGET_LLM_MODEL"
	}
	name, _, _ := strings.Cut(either(b.LLM, a.engines.names["LLM"]), ",")
	if step, ok := made[name]; ok {
		return step, nil
	}
	other, t := *w, *w.tariff
	other.cfg = w.cfg.withModel(name, b.LLMModel)
	other.llms, t.cfg = bench[ports.LLMPort]{}, other.cfg
	port, err := engine(&other, other.llms, llms, name)
	if err != nil {
		return cheaper{}, []error{fmt.Errorf("%s: %w", variable, err)}
	}
	w.llms["cheaper "+name] = other.llms[name] // closed with the others
	sold := t.sold("LLM", name)
	step, policy := cheaper{price: sold.Price}, w.policy("LLM")
	if w.watch.meter != nil {
		policy.Observer = w.watch.observerAt(&meter{tariff: &t})
	}
	if step.port, err = decorate.LLM([]decorate.NamedLLM{{Name: name, Port: decorate.MeteredLLM(port, sold)}}, policy); err != nil {
		return cheaper{}, []error{fmt.Errorf("%s: %w", variable, err)}
	}
	made[name] = step
	return step, w.priced(&t, "LLM", name)
}

// withModel is the settings with another model at one provider.
func (c Config) withModel(provider, model string) Config {
	if model == "" {
		return c
	}
	v := &c.Vendors
	switch provider {
	case "genai", "gemini":
		v.Gemini.Model = model
	case "openai":
		v.OpenAI.LLMModel = model
	case "anthropic":
		v.Claude.Model = model
	case "patternai":
		v.Pattern.LLMModel = model
	}
	return c
}

// A turn as it is set aside before it begins: rather long, since what is not used is
// given back.
const (
	expectedHeard  = 30 * time.Second
	expectedAsked  = 300 // tokens of the question itself
	expectedWords  = 512 // tokens of the answer
	expectedSpoken = 600 // characters
)

// expect estimates the turns of an agent on each step.
func (w *workshop) expect(a *agent, step cheaper) {
	first := func(stage string, use domain.Use) domain.Money {
		name, _, _ := strings.Cut(a.engines.names[stage], ",")
		if name == "" || name == "none" {
			return 0
		}
		cost, _ := w.tariff.sold(stage, name).Price(use)
		return cost
	}
	p := &a.persona
	use := domain.Use{InputTokens: p.Memory.Tokens + len(p.SystemPrompt)/charactersPerToken + expectedAsked, OutputTokens: expectedWords}
	if p.MaxTokens > 0 {
		use.OutputTokens = min(expectedWords, p.MaxTokens)
	}
	heard := first("STT", domain.Use{Heard: expectedHeard})
	p.Allowance.Text = heard + first("LLM", use)
	p.Allowance.Voice = p.Allowance.Text + first("TTS", domain.Use{Characters: min(expectedSpoken, p.MaxSpokenChars)})
	if step.port != nil {
		cost, _ := step.price(use)
		p.Allowance.CheaperLLM, p.Allowance.Cheaper = step.port, heard+cost
	}
}
