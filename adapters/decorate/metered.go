package decorate

import (
	"context"
	"iter"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Product is what a provider sells in a stage.
type Product struct {
	Vendor string
	// Price says what a use costs, and whether that is known. It may be called
	// concurrently.
	Price func(domain.Use) (domain.Money, bool)
}

// Measures for what is not known before it happens; rather too high.
const (
	charactersPerToken = 4
	// expectedAnswer is how many tokens a model is taken to answer with that has no limit.
	expectedAnswer = 512
)

// MeteredLLM tells the meter of its context, where there is one, of every attempt, and
// makes none that the meter forbids. It belongs below LLM, around one provider: what
// fails or loses a hedge is counted, too. An attempt whose tokens the vendor does not
// tell is counted by its characters.
func MeteredLLM(port ports.LLMPort, p Product) ports.LLMPort { return &meteredLLM{port, p} }

// MeteredSTT is MeteredLLM for ears.
func MeteredSTT(port ports.STTPort, p Product) ports.STTPort { return &meteredSTT{port, p} }

// MeteredTTS is MeteredLLM for voices.
func MeteredTTS(port ports.TTSPort, p Product) ports.TTSPort { return &meteredTTS{port, p} }

type (
	meteredLLM struct {
		port    ports.LLMPort
		product Product
	}
	meteredSTT struct {
		port    ports.STTPort
		product Product
	}
	meteredTTS struct {
		port    ports.TTSPort
		product Product
	}
)

// CallsTools implements ports.ToolCaller.
func (m *meteredLLM) CallsTools() bool { return ports.CallsTools(m.port) }

// expense prices what was used. A call that failed may be billed or not.
func (p Product) expense(stage string, use domain.Use, err error) domain.Expense {
	cost, known := p.Price(use)
	e := domain.Expense{Stage: stage, Vendor: p.Vendor, Use: use, Calls: 1, Cost: cost}
	if !known {
		e.Unpriced = 1
	}
	if err != nil {
		e.Doubtful, e.DoubtfulCost = 1, cost
	}
	return e
}

// Generate implements ports.LLMPort.
func (m *meteredLLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	meter := ports.MeterOf(ctx)
	seq := m.port.Generate(ctx, req)
	if meter == nil {
		return seq
	}
	use := domain.Use{InputTokens: asked(&req), OutputTokens: expectedAnswer}
	if req.MaxTokens > 0 {
		use.OutputTokens = req.MaxTokens
	}
	return func(yield func(ports.LLMChunk, error) bool) {
		a := m.metered(meter, use, yield)
		if err := meter.Begin(ctx, a.expected); err != nil {
			a.refuse(err)
			return
		}
		defer a.end()
		seq(a.take)
	}
}

// metered is an answer that is being metered.
type metered struct {
	product  *Product
	meter    ports.Meter
	yield    func(ports.LLMChunk, error) bool
	use      domain.Use
	expected domain.Money
	failed   error
	told     *ports.LLMUsage
	written  int // bytes
}

func (m *meteredLLM) metered(meter ports.Meter, use domain.Use, yield func(ports.LLMChunk, error) bool) *metered {
	a := &metered{product: &m.product, meter: meter, yield: yield, use: use, failed: errLeft}
	a.expected, _ = m.product.Price(use)
	return a
}

// refuse ends an answer that is not asked for.
//
//go:noinline
func (a *metered) refuse(err error) { a.yield(ports.LLMChunk{}, err) }

// take passes on what the model says next.
func (a *metered) take(chunk ports.LLMChunk, err error) bool {
	a.written += len(chunk.Text)
	if err != nil {
		a.failed = err
	}
	if chunk.Done {
		a.failed, a.told = nil, chunk.Usage
	}
	return a.yield(chunk, err)
}

//go:noinline
func (a *metered) end() {
	a.use.OutputTokens = (a.written + charactersPerToken - 1) / charactersPerToken
	if a.told != nil && a.told.Input+a.told.Output > 0 {
		a.use.InputTokens, a.use.OutputTokens = a.told.Input, a.told.Output
	}
	a.meter.End(a.expected, a.product.expense(domain.StageThink, a.use, a.failed))
}

// asked estimates the tokens of a question.
func asked(req *ports.LLMRequest) int {
	n := len(req.System)
	for _, t := range req.Tools {
		n += len(t.Name) + len(t.Description) + len(t.Parameters)
	}
	for _, m := range req.Messages {
		n += len(m.Text)
		for _, c := range m.Calls {
			n += len(c.Name) + len(c.Arguments)
		}
		for _, r := range m.Results {
			n += len(r.Text)
		}
	}
	return (n + charactersPerToken - 1) / charactersPerToken
}

// Transcribe implements ports.STTPort.
func (m *meteredSTT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	meter := ports.MeterOf(ctx)
	if meter == nil {
		return m.port.Transcribe(ctx, clip, opt)
	}
	use := domain.Use{Heard: lengthOf(clip)}
	expected, _ := m.product.Price(use)
	if err := meter.Begin(ctx, expected); err != nil {
		return domain.Transcript{}, err
	}
	var failed error = errLeft // also when it panics
	defer func() { meter.End(expected, m.product.expense(domain.StageHear, use, failed)) }()
	heard, err := m.port.Transcribe(ctx, clip, opt)
	failed = err
	return heard, err
}

// Synthesize implements ports.TTSPort.
func (m *meteredTTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	meter := ports.MeterOf(ctx)
	if meter == nil {
		return m.port.Synthesize(ctx, text, opt)
	}
	use := domain.Use{Characters: utf8.RuneCountInString(text)}
	expected, _ := m.product.Price(use)
	if err := meter.Begin(ctx, expected); err != nil {
		return domain.Audio{}, err
	}
	var failed error = errLeft
	defer func() { meter.End(expected, m.product.expense(domain.StageSpeak, use, failed)) }()
	clip, err := m.port.Synthesize(ctx, text, opt)
	if failed = err; err == nil {
		use.Spoken = clip.Duration()
	}
	return clip, err
}
