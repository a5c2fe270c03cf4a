package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"whatsappnode/adapters/agentsfile"
	"whatsappnode/adapters/settings"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// engineFactory makes the engines of providers with these names, in failover order;
// no name leaves the choice to the keys that are present. Voices are the vendor's
// names of voices by language, for the first that speaks. A fault begins with the
// variable of the list it is about and a colon, "TTS_PROVIDER: ".
type engineFactory func(llm, stt, tts []string, voices map[string]string) (vendors, []error)

// agent is one business number, made ready: who the bot is there, with which engines
// and which credentials.
type agent struct {
	name    string
	number  domain.NumberID // empty: every number of the account
	persona app.Persona
	engines vendors

	token, appSecret, verifyToken settings.Source
	appName                       string // of the variable with the app secret; numbers of one app share it
	named                         []string
	budget                        BudgetConfig

	tools   ToolConfig
	toolsAt agentsfile.Value // where the file allows them
}

// agents are the numbers this process speaks for: one without a number, or those of
// an agents file.
type agents []agent

// personaSettings are the settings an agents file can give for each number.
type personaSettings struct {
	LLM settings.List `env:"LLM_PROVIDER"`
	STT settings.List `env:"STT_PROVIDER"`
	TTS settings.List `env:"TTS_PROVIDER"`

	Dialogue DialogueConfig
	Safety   SafetyConfig
	Budget   BudgetConfig
	Tools    ToolConfig
	People   PeopleConfig
}

// assemble makes the agents ready and goes on after a fault, so that all are listed.
func assemble(cfg Config, getenv settings.Getenv, build engineFactory) (agents, []error) {
	if cfg.AgentsFile == "" {
		v, faults := build(cfg.Vendors.LLM, cfg.Vendors.STT, cfg.Vendors.TTS, nil)
		all := agents{{
			persona: withPeople(guarded(persona(cfg.Dialogue, v), cfg.Safety), cfg.People), engines: v, budget: cfg.Budget, appName: varAppSecret, tools: cfg.Tools,
			token: cfg.WhatsApp.AccessToken, appSecret: cfg.WhatsApp.AppSecret, verifyToken: cfg.WhatsApp.VerifyToken,
		}}
		return all, append(faults, toldSecrets(cfg, all)...)
	}
	file, err := agentsfile.Load(cfg.AgentsFile)
	faults := inFile(err)
	var all agents
	vault := newVault(cfg, getenv)
	for _, written := range file.Agents {
		a, more := vault.credentials(written)
		given, wrong := personaOf(written, getenv)
		v, unknown := build(given.LLM, given.STT, given.TTS, written.Voices)
		a.engines, a.persona, a.budget = v, withPeople(guarded(persona(given.Dialogue, v), given.Safety), given.People), given.Budget
		a.tools, a.toolsAt = given.Tools, written.Settings["TOOLS"]
		all = append(all, a)
		faults = append(faults, slices.Concat(more, wrong, placed(append(unknown, safetyFaults(given.Safety)...), written))...)
	}
	return all, distinct(append(faults, toldSecrets(cfg, all)...))
}

// persona turns settings and engines into who the bot is at a number.
func persona(d DialogueConfig, v vendors) app.Persona {
	return app.Persona{
		LLM: v.llm, STT: v.stt, TTS: v.tts,
		SystemPrompt: d.SystemPrompt, Languages: domain.Languages(d.Languages), ReplyMode: d.ReplyMode, Fallback: d.Fallback,
		Memory:      domain.Memory{Messages: d.HistoryMessages, Tokens: d.HistoryTokens},
		TurnTimeout: d.TurnTimeout, MaxSpokenChars: d.MaxSpokenChars, SendAside: d.SendAside,
		Burst:     app.Burst{Window: d.BurstWindow, Unfinished: d.BurstUnfinished, Limit: d.BurstLimit},
		MaxTokens: d.MaxTokens, Temperature: d.Temperature, MinConfidence: d.MinConfidence,
	}
}

// personaOf reads what the file says of a number by the rules of the variables it
// stands for, and the rest from the environment. The environment's own faults were
// found before.
func personaOf(written agentsfile.Agent, getenv settings.Getenv) (personaSettings, []error) {
	var out personaSettings
	err := settings.Load(func(name string) string {
		if v, ok := written.Settings[name]; ok {
			return v.Text
		}
		if base, ok := strings.CutSuffix(name, "_FILE"); ok {
			if _, given := written.Settings[base]; given {
				return "" // the file wins over the other form of the variable, too
			}
		}
		return getenv(name)
	}, &out)
	var faults []error
	var all settings.Faults
	switch {
	case errors.As(err, &all):
		for _, f := range all {
			if v, ok := written.Settings[f.Var]; ok {
				faults = append(faults, at(v, errors.New(f.Problem)))
			}
		}
	case err != nil:
		faults = append(faults, err)
	}
	for variable, fault := range peopleFaults(out.People) {
		if v, ok := written.Settings[variable]; ok {
			faults = append(faults, at(v, fault))
		}
	}
	if v, ok := written.Settings["LANGUAGES"]; ok {
		if err := languageFault(out.Dialogue.Languages); err != nil {
			faults = append(faults, at(v, err))
		}
	}
	return out, faults
}

// at says where in the file something is wrong.
func at(v agentsfile.Value, problem error) error {
	return fmt.Errorf("AGENTS_FILE line %d: %s %w", v.Line, v.Key, problem)
}

// inFile names the file's variable before each of its faults.
func inFile(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("AGENTS_FILE %w", err)}
	}
	var out []error
	for _, each := range joined.Unwrap() {
		out = append(out, fmt.Errorf("AGENTS_FILE %w", each))
	}
	return out
}

// placed gives faults of the engines their place in the file, where the list they are
// about stands there.
func placed(faults []error, written agentsfile.Agent) []error {
	var out []error
	for _, f := range faults {
		variable, problem, _ := strings.Cut(f.Error(), ": ")
		if v, ok := written.Settings[variable]; ok {
			f = at(v, errors.New(problem))
		}
		out = append(out, f)
	}
	return out
}

// distinct drops faults that several numbers share, as those of the environment.
func distinct(faults []error) []error {
	seen := map[string]bool{}
	return slices.DeleteFunc(faults, func(f error) bool {
		before := seen[f.Error()]
		seen[f.Error()] = true
		return before
	})
}

// personas hands the numbers to the application.
func (all agents) personas() (*app.Personas, error) {
	byNumber := map[domain.NumberID]app.Persona{}
	for _, a := range all {
		if a.number == "" {
			return app.OnePersona(a.persona)
		}
		byNumber[a.number] = a.persona
	}
	return app.NewPersonas(byNumber)
}

// variables are those that the file names for secrets, so that they are not taken
// for misspelt settings.
func (all agents) variables() []settings.Var {
	var out []settings.Var
	for _, a := range all {
		for _, name := range a.named {
			out = append(out, settings.Var{Name: name})
		}
	}
	return out
}

// vendors names the providers of each stage, those of all numbers together.
func (all agents) vendors() map[string]string {
	out := map[string]string{}
	for _, stage := range []string{"LLM", "STT", "TTS"} {
		out[stage] = each(all, func(a agent) []string { return []string{a.engines.names[stage]} })
	}
	return out
}

func (all agents) replyModes() string {
	return each(all, func(a agent) []string { return []string{string(a.persona.ReplyMode)} })
}

// notices are what a person should know, each once.
func (all agents) notices() []string {
	var out []string
	for _, a := range all {
		for _, n := range a.engines.notices {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// each joins words of all agents, every one once.
func each(all agents, words func(agent) []string) string {
	var out []string
	for _, a := range all {
		for _, w := range words(a) {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return strings.Join(out, ",")
}

// withVoices makes an engine speak each language with the voice that is named for
// it, or for the nearest language there is. It leaves a voice alone that was asked
// for, and a language without one to the engine.
func withVoices(tts ports.TTSPort, voices map[string]string) ports.TTSPort {
	if tts == nil || len(voices) == 0 {
		return tts
	}
	return voiced{TTSPort: tts, voices: voices, tags: slices.Sorted(maps.Keys(voices))}
}

type voiced struct {
	ports.TTSPort
	voices map[string]string
	tags   domain.Languages
}

// Synthesize implements ports.TTSPort.
func (v voiced) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if opt.Language == "" && len(v.tags) == 1 {
		opt.Language = v.tags[0] // the one language it can be meant to speak
	}
	if tag, ok := v.tags.Nearest(opt.Language); ok && opt.Voice == "" {
		opt.Voice = v.voices[tag]
	}
	return v.TTSPort.Synthesize(ctx, text, opt)
}
