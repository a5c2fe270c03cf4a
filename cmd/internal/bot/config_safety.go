package bot

import (
	"fmt"
	"slices"
	"time"

	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/app"
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
	return p
}

// safetyFaults are what the tags cannot say.
func safetyFaults(c SafetyConfig) (faults []error) {
	known := []string{"secrets", "contacts", "prompt", "none"}
	for _, name := range c.OutputChecks {
		if !slices.Contains(known, name) || name == "none" && len(c.OutputChecks) > 1 {
			faults = append(faults, fmt.Errorf("OUTPUT_CHECKS: %q cannot stand there; there are secrets, contacts and prompt, or none alone", name))
		}
	}
	return faults
}

var _ app.ClipMeter = voicenote.Meter{}
