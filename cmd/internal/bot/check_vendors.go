package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/pricing"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// What the vendors are asked.
const (
	checkPrompt  = "Hello"
	checkSystem  = "Answer with one word."
	checkSpeech  = "Hello."
	checkSilence = time.Second
)

// providers are those of a stage, of all agents, each once and in their order. "none"
// is a stage without any.
func (c *checker) providers(stage string) []string {
	var out []string
	for _, a := range c.all {
		for _, name := range strings.Split(a.engines.names[stage], ",") {
			if name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// persona is that of the first agent who has the provider: it is asked as that agent
// would ask it.
func (c *checker) persona(stage, provider string) app.Persona {
	for _, a := range c.all {
		if slices.Contains(strings.Split(a.engines.names[stage], ","), provider) {
			return a.persona
		}
	}
	return app.Persona{}
}

// vendors tries each provider by itself: in a list, one that is broken would hide
// behind the next.
func (c *checker) vendors() []task {
	var out []task
	for _, name := range c.providers("LLM") {
		e, err := engine(c.shop, c.shop.llms, llms, name)
		out = append(out, c.vendor("LLM", name, err, func(ctx context.Context, f *finding) error { return c.think(ctx, f, name, e) }))
	}
	for _, name := range c.providers("STT") {
		e, err := engine(c.shop, c.shop.stts, stts, name)
		out = append(out, c.vendor("STT", name, err, func(ctx context.Context, f *finding) error { return c.hear(ctx, f, name, e) }))
	}
	for _, name := range c.providers("TTS") {
		e, err := engine(c.shop, c.shop.ttss, ttss, name)
		out = append(out, c.vendor("TTS", name, err, func(ctx context.Context, f *finding) error { return c.speak(ctx, f, name, e) }))
	}
	return out
}

func (c *checker) vendor(stage, name string, made error, try func(ctx context.Context, f *finding) error) task {
	return func(ctx context.Context) []finding {
		f := finding{Check: strings.ToLower(stage), Subject: name}
		switch {
		case name == "none":
			f.warn("nobody does this, not even the demo engine", "set "+stage+"_PROVIDER, or sudo "+demoEngines.Probe().Hint())
		case made != nil:
			f.skip("not tried: it cannot be set up", "correct the settings above first")
		default:
			f = c.timed(ctx, f, func(ctx context.Context, f *finding) {
				if err := try(ctx, f); err != nil {
					f.fail(strings.ReplaceAll(err.Error(), "\n", "; "), c.vendorToDo(stage, name, err))
				}
			})
		}
		return []finding{f}
	}
}

// think asks a model for a word.
func (c *checker) think(ctx context.Context, f *finding, name string, llm ports.LLMPort) error {
	began, first := time.Now(), time.Duration(0)
	who := c.persona("LLM", name)
	var used *ports.LLMUsage
	for chunk, err := range llm.Generate(ctx, ports.LLMRequest{
		System: checkSystem, Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: checkPrompt}},
		Temperature: who.Temperature, MaxTokens: who.MaxTokens,
	}) {
		if err != nil {
			return err
		}
		if first == 0 && chunk.Text != "" {
			first = time.Since(began)
		}
		if chunk.Done {
			used = chunk.Usage
		}
	}
	p := c.product("LLM", name)
	detail := "answered, first word after " + short(first)
	use := pricing.Use{InputTokens: 20, OutputTokens: 5} // about that, where the vendor does not say
	if used != nil {
		use = pricing.Use{InputTokens: used.Input, OutputTokens: used.Output}
		detail += fmt.Sprintf(", %d tokens in and %d out", used.Input, used.Output)
	}
	f.Cost = c.price(p, use).cost
	f.ok(p.named(detail))
	return nil
}

// hear plays a second of silence to an ear.
func (c *checker) hear(ctx context.Context, f *finding, name string, stt ports.STTPort) error {
	clip, err := silence(checkSilence)
	if err != nil {
		return err
	}
	heard, err := stt.Transcribe(ctx, clip, ports.STTOptions{Languages: c.persona("STT", name).Languages})
	if err != nil {
		return err
	}
	p := c.product("STT", name)
	f.Cost = c.price(p, hearing(checkSilence)).cost
	if words := heard.Words(); words != "" {
		f.warn(p.named(fmt.Sprintf("heard %d characters in a second of silence", utf8.RuneCountInString(words))),
			"it may answer noise: raise MIN_CONFIDENCE, or set another model")
		return nil
	}
	f.ok(p.named("heard nothing in a second of silence, as it should"))
	return nil
}

// speak has a voice say a word and looks at the clip.
func (c *checker) speak(ctx context.Context, f *finding, name string, tts ports.TTSPort) error {
	var opt ports.TTSOptions
	if languages := c.persona("TTS", name).Languages; len(languages) > 0 {
		opt.Language = languages[0]
	}
	clip, err := tts.Synthesize(ctx, checkSpeech, opt)
	if err != nil {
		return err
	}
	p := c.product("TTS", name)
	info, err := oggopus.Examine(clip.Bytes())
	if err != nil {
		return &ports.Error{Op: strings.ToLower(name) + ".speak", Kind: ports.KindUnsupported, Err: errors.New("what it made is no voice note, which is Ogg/Opus, mono")}
	}
	f.Cost = c.price(p, speaking(checkSpeech, info.Duration)).cost
	f.ok(p.named("made a voice note of " + short(info.Duration)))
	return nil
}

// silence is a clip as WhatsApp records it, with nothing to hear.
func silence(length time.Duration) (domain.Audio, error) {
	packet := oggopus.SilenceSamples * time.Second / oggopus.ClockRate
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range length / packet {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, oggopus.Options{InputRate: 16_000})
	if err != nil {
		return domain.Audio{}, err
	}
	return domain.NewAudio(domain.MIMEOggOpus, data, length)
}

// short is a duration for people.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
