package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"whatsappnode/adapters/filter"
	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/app"
	"whatsappnode/ports"
)

// SafetyConfig is about people and machines that misuse the bot, and about what a
// model may be told and may say.
type SafetyConfig struct {
	RateMessages int           `env:"RATE_LIMIT_MESSAGES" envDefault:"30" validate:"min=0,max=100000" doc:"Answers that one person may ask for at once; one more is allowed each RATE_LIMIT_EVERY. Who is over it is told so once, in text, and not answered until there was a pause. 0: no limit."`
	RateEvery    time.Duration `env:"RATE_LIMIT_EVERY" envDefault:"10s" validate:"min=1ms,max=24h" doc:"Time in which one more answer may be asked for."`
	MaxClip      time.Duration `env:"MAX_CLIP" envDefault:"5m" validate:"min=0,max=4h" doc:"Longest voice message that is heard; those of one turn may play twice as long together. It is measured before a vendor is paid. 0: any."`
	LoopTurns    int           `env:"LOOP_TURNS" envDefault:"8" validate:"min=0,max=1000" doc:"Exchanges in a row after which the other side is taken for another machine and not answered: each at once, and of nearly the same words. 0: never."`
	LoopQuiet    time.Duration `env:"LOOP_QUIET" envDefault:"10m" validate:"min=1s,max=24h" doc:"How long that machine must have been silent to be answered again."`
	MaxAnswer    int           `env:"MAX_ANSWER_CHARS" envDefault:"4000" validate:"min=0,max=60000" doc:"Longest answer, in characters; a longer one is cut behind a whole sentence. 4,000 fit into one message. 0: any."`
	OutputChecks settings.List `env:"OUTPUT_CHECKS" envDefault:"secrets,contacts,prompt" doc:"What each answer is looked through for before it is spoken or sent; an answer in which something is found is replaced by a sentence. secrets: configured values and whatever looks like a key; contacts: telephone and card numbers and e-mail addresses that neither the prompt, nor the user, nor a tool gave; prompt: the system prompt quoted at length. none: nothing."`
	FiltersIn    settings.List `env:"FILTERS_IN" doc:"Filters between the user's words and the model, in their order: pii (telephone, card and account numbers and e-mail addresses become [phone] and the like), and the lists of FILTER_WORDS_FILE: profanity, bias. With pii the model cannot use what it does not see, as to note a number down; the vendor that hears voice messages hears them as they are."`
	FiltersOut   settings.List `env:"FILTERS_OUT" doc:"The same between the model's words and the user. pii leaves what stands in the system prompt."`
	FilterWords  string        `env:"FILTER_WORDS_FILE" doc:"YAML file of lists of words, by name and language, in place of the program's own (adapters/filter/words.yaml). Each list makes a filter of its name."`
	ScopeGuard   bool          `env:"SCOPE_GUARD" envDefault:"true" doc:"Add the rule to the system prompt that keeps the bot on its business. Meta bars assistants for general purposes."`
}

// guarded gives a persona its limits.
func guarded(p app.Persona, c SafetyConfig) app.Persona {
	p.Rate = app.Rate{Messages: c.RateMessages, Every: c.RateEvery}
	p.Loop = app.Loop{Turns: c.LoopTurns, Quiet: c.LoopQuiet}
	p.MaxClip, p.MaxAnswerChars, p.Scope = c.MaxClip, c.MaxAnswer, c.ScopeGuard
	p.Vetting = app.Vetting{
		Secrets: slices.Contains(c.OutputChecks, "secrets"), Contacts: slices.Contains(c.OutputChecks, "contacts"), Prompt: slices.Contains(c.OutputChecks, "prompt"),
	}
	lists, _ := filter.LoadLists(c.FilterWords) // its fault is one of the settings
	p.FiltersIn, _ = filters(c.FiltersIn, lists, p.SystemPrompt)
	p.FiltersOut, _ = filters(c.FiltersOut, lists, p.SystemPrompt)
	return p
}

const filterPII = "pii"

// filters makes the filters of these names. Of personal data they leave what the
// operator wrote.
func filters(names []string, lists filter.Lists, prompt string) ([]ports.FilterPort, error) {
	var out []ports.FilterPort
	for _, name := range names {
		if name == filterPII {
			out = append(out, filter.NewPII(prompt))
			continue
		}
		words, err := filter.NewWords(name, lists)
		if err != nil {
			return nil, fmt.Errorf("%q is no filter; there are %s", name, strings.Join(append([]string{filterPII}, lists.Names()...), ", "))
		}
		out = append(out, words)
	}
	return out, nil
}

// safetyFaults are what the tags cannot say.
func safetyFaults(c SafetyConfig) (faults []error) {
	known := []string{"secrets", "contacts", "prompt", "none"}
	for _, name := range c.OutputChecks {
		if !slices.Contains(known, name) || name == "none" && len(c.OutputChecks) > 1 {
			faults = append(faults, fmt.Errorf("OUTPUT_CHECKS: %q cannot stand there; there are secrets, contacts and prompt, or none alone", name))
		}
	}
	lists, err := filter.LoadLists(c.FilterWords)
	if err != nil {
		return append(faults, fmt.Errorf("FILTER_WORDS_FILE: %w", err))
	}
	for variable, names := range map[string][]string{"FILTERS_IN": c.FiltersIn, "FILTERS_OUT": c.FiltersOut} {
		if _, err := filters(names, lists, ""); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", variable, err))
		}
	}
	return faults
}

var _ app.ClipMeter = voicenote.Meter{}
