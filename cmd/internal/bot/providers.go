package bot

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/offline"
	"whatsappnode/ports"
)

// The vendors, one line each. A name that is not here fails at start, and the
// message lists the ones that are.
var (
	llms = map[string]func(Config) (ports.LLMPort, error){
		"offline": func(Config) (ports.LLMPort, error) { return offline.NewLLM(), nil },
		"fake":    func(c Config) (ports.LLMPort, error) { return withKnobs[ports.LLMPort](c, fake.NewLLM) },
	}
	stts = map[string]func(Config) (ports.STTPort, error){
		"offline": func(Config) (ports.STTPort, error) { return orNil[ports.STTPort](offline.NewSTT(demoEngines)) },
		"fake":    func(c Config) (ports.STTPort, error) { return withKnobs[ports.STTPort](c, fake.NewSTT) },
	}
	ttss = map[string]func(Config) (ports.TTSPort, error){
		"offline": func(Config) (ports.TTSPort, error) { return orNil[ports.TTSPort](offline.NewTTS(demoEngines)) },
		"fake":    func(c Config) (ports.TTSPort, error) { return withKnobs[ports.TTSPort](c, fake.NewTTS) },
	}
)

var demoEngines = offline.Config{LookPath: exec.LookPath}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[P any, T any](vendor T, err error) (P, error) {
	var none P
	if err != nil {
		return none, err
	}
	return any(vendor).(P), nil
}

// withKnobs builds a fake vendor that behaves as FAKE_KNOBS says.
func withKnobs[P any, T any](c Config, build func(fake.Knobs) (T, error)) (P, error) {
	var none P
	knobs, err := fake.ParseKnobs(c.Vendors.Fake)
	if err != nil {
		return none, fmt.Errorf("FAKE_KNOBS: %w", err)
	}
	return orNil[P](build(knobs))
}

// vendors are the engines that were chosen, and what a person should know of the
// choice.
type vendors struct {
	llm     ports.LLMPort
	stt     ports.STTPort
	tts     ports.TTSPort
	names   map[string]string // stage -> provider
	notices []string
}

// chooseVendors builds the three engines. A vendor that was asked for by name and
// cannot be had is a fault; the demo engines that stand in when nothing was asked
// for may be missing, and then the bot goes on without ears or voice and says so.
func chooseVendors(c Config) (vendors, []error) {
	v := vendors{names: map[string]string{}}
	var faults []error
	note := func(stage string, names []string, err error) {
		switch {
		case err != nil && len(names) > 0:
			faults = append(faults, fmt.Errorf("%s_PROVIDER: %w", stage, err))
		case err != nil:
			v.names[stage] = "none"
		default:
			v.names[stage] = providerName(names)
		}
	}
	var err error
	v.llm, err = pick(c, llms, c.Vendors.LLM)
	note("LLM", c.Vendors.LLM, err)
	v.stt, err = pick(c, stts, c.Vendors.STT)
	note("STT", c.Vendors.STT, err)
	v.tts, err = pick(c, ttss, c.Vendors.TTS)
	note("TTS", c.Vendors.TTS, err)
	v.notices = notices(v.names)
	return v, faults
}

// defaultProvider answers when no vendor is named and no key is present.
const defaultProvider = "offline"

func providerName(names []string) string {
	if len(names) == 0 {
		return defaultProvider
	}
	return names[0]
}

// pick builds the one vendor that was named.
func pick[P any](c Config, known map[string]func(Config) (P, error), names []string) (P, error) {
	var none P
	if len(names) > 1 {
		return none, fmt.Errorf("one provider is supported, %d are named", len(names))
	}
	make, ok := known[providerName(names)]
	if !ok {
		return none, fmt.Errorf("unknown provider %q; known are %s", names[0], strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return make(c)
}
