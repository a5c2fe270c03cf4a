package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/adapters/pricing"
)

// A typical turn: somebody speaks for ten seconds and hears three sentences.
const (
	turnHeard     = 10 * time.Second
	turnTokensIn  = 300
	turnTokensOut = 80
	turnSpoken    = 250
	turnWords     = "10 s heard, 300 tokens in and 80 out, 250 characters spoken, one message sent"
)

// Measures for what is not known before it happens; rather too high.
const (
	charactersPerSecond = 15 // of speech
	charactersPerToken  = 4
	// instructionTokens is what a language model is told that hears, beside the sound.
	instructionTokens = 200
	// transcriptTokens are written for a second of speech.
	transcriptTokens = 5
)

// hearing is the use of an ear.
func hearing(clip time.Duration) pricing.Use {
	return pricing.Use{Heard: clip, InputTokens: instructionTokens, OutputTokens: transcriptTokens * int(clip/time.Second)}
}

// speaking is the use of a voice; the length of the clip is zero before there is one.
func speaking(text string, clip time.Duration) pricing.Use {
	return spoken(utf8.RuneCountInString(text), clip)
}

func spoken(characters int, clip time.Duration) pricing.Use {
	if clip <= 0 {
		clip = time.Duration(characters) * time.Second / charactersPerSecond
	}
	return pricing.Use{Characters: characters, Spoken: clip, InputTokens: (characters + charactersPerToken - 1) / charactersPerToken}
}

// quote is a cost with its reason.
type quote struct {
	cost   cost
	source string
}

// price says what a use of a product costs, by the list.
func (c *checker) price(p product, use pricing.Use) quote {
	switch {
	case p.free:
		return quote{cost{kind: costFree}, "this machine does it"}
	case p.unlisted:
		return quote{cost{kind: costUnknown}, "not at the vendor's list price"}
	case p.model == "":
		return quote{cost{kind: costUnknown}, "the vendor chooses the model"}
	}
	listed, ok := c.prices.Find(p.provider, either(p.sold, p.model), c.now)
	if !ok {
		return quote{cost{kind: costUnknown}, "not in the price list"}
	}
	amount, ok := listed.Cost(use)
	if !ok {
		return quote{cost{kind: costUnknown}, "the price list does not say it for this use"}
	}
	source := fmt.Sprintf("%s, %s", listed.Source.Page, listed.Source.Read.Format(time.DateOnly))
	if listed.Note != "" {
		source += "; " + listed.Note
	}
	return quote{cost{costKnown, amount}, source}
}

// turns estimates a typical turn for each set of first providers that an agent has.
func (c *checker) turns() []turn {
	var out []turn
	var sets []string
	for _, a := range c.all {
		set := ""
		for _, stage := range []string{"STT", "LLM", "TTS"} {
			first, _, _ := strings.Cut(a.engines.names[stage], ",")
			set += first + " "
		}
		at := slices.Index(sets, set)
		if at < 0 {
			at = len(sets)
			sets, out = append(sets, set), append(out, c.turn(strings.Fields(set)))
		}
		if a.name != "" {
			out[at].Agents = append(out[at].Agents, a.name)
		}
	}
	if len(out) == 1 {
		out[0].Agents = nil // it holds for all
	}
	return out
}

// turn estimates one with these providers: who hears, who thinks, who speaks.
func (c *checker) turn(providers []string) turn {
	var t turn
	for i, stage := range []struct {
		name, doing string
		use         pricing.Use
	}{
		{"STT", "hearing", hearing(turnHeard)},
		{"LLM", "thinking", pricing.Use{InputTokens: turnTokensIn, OutputTokens: turnTokensOut}},
		{"TTS", "speaking", spoken(turnSpoken, 0)},
	} {
		if i >= len(providers) || providers[i] == "none" {
			continue
		}
		p := c.product(stage.name, providers[i])
		q := c.price(p, stage.use)
		t.Parts = append(t.Parts, turnPart{Doing: stage.doing, Provider: p.provider, Model: p.model, Cost: q.cost, Source: q.source})
	}
	t.Parts = append(t.Parts, turnPart{
		Doing: "sending", Provider: "WhatsApp", Cost: cost{kind: costUnknown},
		Source: "by the user's country; the first 1,000 answers a month and number are free (Meta, Pricing)",
	})
	for _, p := range t.Parts {
		t.Together = t.Together.add(p.Cost)
	}
	return t
}
