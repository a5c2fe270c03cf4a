package bot

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/libopus"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/opusenc"
	"whatsappnode/adapters/pcm"
	"whatsappnode/adapters/vendorhttp"
	"whatsappnode/ports"
)

// workshop makes engines. Each vendor's engine is made once and shared by all
// business numbers, and so is what is known of its health.
type workshop struct {
	cfg      Config
	encoder  ports.EncoderPort // nil: there is none on this machine
	breakers *decorate.Breakers
	watch    *watch
	tariff   *tariff
	// connections are shared by the engines that speak HTTP, Graph and the hand-offs.
	connections *vendorhttp.Connections
	visits      *visitWatch
	llms        bench[ports.LLMPort]
	stts        bench[ports.STTPort]
	ttss        bench[ports.TTSPort]
}

// bench holds the engines of one stage that were made, by provider.
type bench[P any] map[string]made[P]

type made[P any] struct {
	engine P
	err    error
}

func newWorkshop(cfg Config, w *watch) (*workshop, error) {
	f := cfg.Vendors.Failover
	breakers, err := decorate.NewBreakers(decorate.BreakerPolicy{
		Failures: f.BreakerFailures, Window: f.BreakerWindow, Delay: f.BreakerDelay, OnState: w.breaker,
	})
	if err != nil {
		return nil, fmt.Errorf("BREAKER_FAILURES, BREAKER_WINDOW: %w", err)
	}
	prices, err := newTariff(cfg)
	if err != nil {
		return nil, err
	}
	connections, err := vendorhttp.New(f.KeepWarm)
	if err != nil {
		return nil, fmt.Errorf("VENDOR_KEEP_WARM: %w", err)
	}
	visits := newVisitWatch(w)
	visits.name("graph", cfg.WhatsApp.GraphBaseURL)
	connections.OnVisit(visits.told)
	return &workshop{
		connections: connections, visits: visits, tariff: prices,
		cfg: cfg, encoder: newEncoder(bitRate(cfg.Dialogue.MaxSpokenChars)), breakers: breakers, watch: w,
		llms: bench[ports.LLMPort]{}, stts: bench[ports.STTPort]{}, ttss: bench[ports.TTSPort]{},
	}, nil
}

// newEncoder takes the library when it is built in, else the program when it is
// installed. Whoever needs one and finds none refuses to start.
func newEncoder(bits int) ports.EncoderPort {
	if e, err := libopus.New(libopus.Config{BitRate: bits}); err == nil {
		return e
	}
	if e, err := opusenc.New(opusenc.Config{LookPath: exec.LookPath, BitRate: bits}); err == nil {
		return e
	}
	return nil
}

// bitRate makes the longest answer that may be spoken fit into a note that has a play
// button, as far as it still sounds like a person. A slow speaker says twelve
// characters a second.
func bitRate(maxSpokenChars int) int {
	seconds := max(maxSpokenChars/12, 1)
	fits := oggopus.MaxPlayable * 9 / 10 * 8 / seconds
	return min(max(fits/1000*1000, pcm.MinBitRate), pcm.BitRate)
}

// Close frees the engines' connections.
func (w *workshop) Close() error {
	var all []error
	all = append(all, closeAll(w.llms)...)
	all = append(all, closeAll(w.stts)...)
	all = append(all, closeAll(w.ttss)...)
	w.connections.Close()
	return errors.Join(all...)
}

func closeAll[P any](b bench[P]) (faults []error) {
	for _, m := range b {
		if c, ok := any(m.engine).(io.Closer); ok && m.err == nil {
			faults = append(faults, c.Close())
		}
	}
	return faults
}

// engine makes the engine of a provider, or returns the one made before.
func engine[P any](w *workshop, b bench[P], known map[string]func(*workshop) (P, error), name string) (P, error) {
	if m, ok := b[name]; ok {
		return m.engine, m.err
	}
	var m made[P]
	if build, ok := known[name]; ok {
		m.engine, m.err = build(w)
	} else {
		m.err = unknown(name, known)
	}
	b[name] = m
	return m.engine, m.err
}

// chain makes the engines of a list of providers.
func chain[P any](w *workshop, b bench[P], known map[string]func(*workshop) (P, error), names []string) ([]decorate.Named[P], error) {
	var out []decorate.Named[P]
	var faults []error
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			faults = append(faults, fmt.Errorf("%s is named twice", name))
			continue
		}
		e, err := engine(w, b, known, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, decorate.Named[P]{Name: name, Port: e})
	}
	return out, errors.Join(faults...)
}

// metered has a turn's meter told of everything the engines of a stage do.
func metered[P any](w *workshop, stage string, all []decorate.Named[P], meter func(P, decorate.Product) P) {
	for i, each := range all {
		all[i].Port = meter(each.Port, w.tariff.sold(stage, each.Name))
	}
}

// policy is how the engines of a stage are treated.
func (w *workshop) policy(stage string) decorate.Policy {
	f := w.cfg.Vendors.Failover
	p := decorate.Policy{Attempts: f.Attempts, Hedge: f.Hedge, Breakers: w.breakers, Observer: w.watch.observer()}
	switch stage {
	case "LLM":
		p.Attempt, p.FirstToken = f.LLMTimeout, min(f.FirstToken, f.LLMTimeout)
	case "STT":
		p.Attempt = f.STTTimeout
	case "TTS":
		p.Attempt, p.Least = f.TTSTimeout, f.TTSLeast
	}
	return p
}

// vendors are the engines that were chosen, and what a person should know of the
// choice.
type vendors struct {
	llm     ports.LLMPort
	stt     ports.STTPort
	tts     ports.TTSPort
	names   map[string]string // stage -> providers, comma-separated
	notices []string
}

// choose builds the three stages. A vendor that was asked for by name or by its key
// and cannot be had is a fault; the demo engines that stand in when nothing was asked
// for may be missing, and then the bot goes on without ears or voice and says so.
// Voices are those of the first that speaks: another vendor does not know their names.
func (w *workshop) choose(llm, stt, tts []string, voices map[string]string) (vendors, []error) {
	v := vendors{names: map[string]string{}}
	var faults []error
	settle := func(stage string, named []string, build func(names []string) error) {
		names := named
		if len(names) == 0 {
			names = byKey(w.cfg.Vendors, stage)
		}
		demo := len(names) == 0
		if demo {
			names = []string{defaultProvider}
		}
		v.names[stage] = strings.Join(names, ",")
		err := build(names)
		switch {
		case err != nil && demo:
			v.names[stage] = "none"
		case err != nil:
			faults = append(faults, fmt.Errorf("%s_PROVIDER: %w", stage, err))
		}
	}
	settle("LLM", llm, func(names []string) error {
		all, err := chain(w, w.llms, llms, names)
		if err == nil {
			metered(w, "LLM", all, decorate.MeteredLLM)
			v.llm, err = decorate.LLM(all, w.policy("LLM"))
		}
		return err
	})
	settle("STT", stt, func(names []string) error {
		all, err := chain(w, w.stts, stts, names)
		if err == nil {
			metered(w, "STT", all, decorate.MeteredSTT)
			v.stt, err = decorate.STT(all, w.policy("STT"))
		}
		return err
	})
	settle("TTS", tts, func(names []string) error {
		all, err := chain(w, w.ttss, ttss, names)
		if err == nil {
			metered(w, "TTS", all, decorate.MeteredTTS)
			all[0].Port = withVoices(all[0].Port, voices)
			v.tts, err = decorate.TTS(all, w.policy("TTS"))
		}
		return err
	})
	v.notices = notices(v.names)
	return v, faults
}
