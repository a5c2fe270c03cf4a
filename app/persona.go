package app

import (
	"errors"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Persona is who the bot is at one business number: its engines, its manners and
// its limits. All fields are required unless their comment says otherwise.
type Persona struct {
	LLM ports.LLMPort
	STT ports.STTPort // nil: voice messages are answered with a sentence that says so
	TTS ports.TTSPort // nil: the bot answers in text

	// Tools are what the model may call; nil: none. The model must be able to.
	Tools ports.ToolPort
	// ToolCalls is how many calls one turn may make. Required with Tools.
	ToolCalls int

	SystemPrompt string // may be empty
	// Languages are those that users may speak, the likeliest first; empty leaves it
	// to the engines and allows all.
	Languages domain.Languages
	ReplyMode ReplyMode
	Fallback  string

	Memory domain.Memory
	// TurnTimeout bounds understanding, answering and speaking together.
	TurnTimeout time.Duration
	// MaxSpokenChars is the longest answer that is spoken; a longer one is sent as
	// text. A voice note over 512 KB loses its play button, which is about two
	// minutes of speech.
	MaxSpokenChars int
	// SendAside sends what a listener needs in writing, as addresses and codes, in a
	// message after the voice note.
	SendAside bool
	// Burst says how messages in a row are gathered to one answer.
	Burst Burst
	// MaxTokens bounds an answer of the model; zero leaves it to the vendor.
	MaxTokens int
	// Temperature is between 0 and 2; nil leaves it to the vendor.
	Temperature *float64
	// MinConfidence is the least confidence, up to 1, with which a voice message must
	// have been heard to be answered. Zero takes every one, and an engine that does
	// not say how sure it is is believed.
	MinConfidence float64
	// Scope adds the rule that keeps the model on the business; see houseRules.
	Scope bool
	// Rate and Loop hold back who writes too much, and other machines.
	Rate Rate
	Loop Loop
	// MaxClip is the longest voice message that is heard, and half of what those of one
	// turn may play together; zero: any.
	MaxClip time.Duration
	// PauseFor is how long the bot keeps silent after somebody of the business wrote to
	// the person; zero means DefaultPause.
	PauseFor time.Duration
	// StopWords and StartWords are whole messages, in the form of domain.Plain, with which
	// a person opts out and in again, beside those the bot knows by itself.
	StopWords, StartWords []string
	// Handing says how people are handed over to humans.
	Handing Handing
	// Blocked are not answered; with Allowed nobody else is.
	Allowed, Blocked People

	// MaxAnswerChars is the longest answer, in characters; a longer one is cut behind a
	// whole sentence. Zero: any.
	MaxAnswerChars int
	// Vetting is what answers are looked through for.
	Vetting Vetting
	// FiltersIn stand between the user's words and the model, FiltersOut between the
	// model's words and the user, in their order.
	FiltersIn, FiltersOut []ports.FilterPort

	quotes   []domain.Quotes
	standing string // what the model is told in every turn
	// Allowance says what may be spent; the zero value sets no limit.
	Allowance Allowance
}

// check reports all faults, and settles what follows from missing engines.
func (p *Persona) check() error {
	var faults []error
	if p.LLM == nil {
		faults = append(faults, errors.New("a language model is required"))
	}
	if p.Tools != nil && (p.ToolCalls <= 0 || !ports.CallsTools(p.LLM)) {
		faults = append(faults, errors.New("tools need a limit of calls, and a language model that can call them"))
	}
	if p.ReplyMode != ReplyVoice && p.ReplyMode != ReplyText && p.ReplyMode != ReplyMirror && p.ReplyMode != ReplyBoth {
		faults = append(faults, fmt.Errorf("unknown reply mode %q", p.ReplyMode))
	}
	if p.Fallback == "" || domain.TextUnits(p.Fallback) > domain.MaxTextUnits {
		faults = append(faults, errors.New("fallback message is empty or too long"))
	}
	if p.TurnTimeout <= 0 || p.MaxSpokenChars <= 0 {
		faults = append(faults, errors.New("turn timeout and spoken limit are required"))
	}
	if p.PauseFor == 0 {
		p.PauseFor = DefaultPause
	}
	if p.PauseFor < 0 || p.PauseFor > domain.MaxPause {
		faults = append(faults, errors.New("pause is out of range"))
	}
	if !p.Burst.valid() || p.MaxTokens < 0 || p.MinConfidence < 0 || p.MinConfidence > 1 || (p.Temperature != nil && (*p.Temperature < 0 || *p.Temperature > 2)) {
		faults = append(faults, errors.New("burst, token limit, temperature or least confidence is out of range"))
	}
	if !p.Rate.valid() || !p.Loop.valid() || p.MaxClip < 0 || p.MaxAnswerChars < 0 {
		faults = append(faults, errors.New("rate, loop, longest clip or longest answer is out of range"))
	}
	for _, l := range p.Languages {
		if _, ok := domain.CleanLanguage(l); !ok {
			faults = append(faults, fmt.Errorf("%q is no language tag", l))
		}
	}
	if p.TTS == nil {
		p.ReplyMode = ReplyText
	}
	p.standing, p.quotes = p.houseRules(), p.quotations()
	return errors.Join(faults...)
}

// Personas are the business numbers the bot speaks for. They do not change.
type Personas struct {
	numbers map[domain.NumberID]*Persona
	others  *Persona // nil: messages to other numbers are not answered
}

// OnePersona speaks for every number of the account.
func OnePersona(p Persona) (*Personas, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("persona: %w", err)
	}
	return &Personas{others: &p}, nil
}

// NewPersonas speaks for the given numbers and for no other.
func NewPersonas(byNumber map[domain.NumberID]Persona) (*Personas, error) {
	out := &Personas{numbers: make(map[domain.NumberID]*Persona, len(byNumber))}
	var faults []error
	for number, p := range byNumber {
		if err := p.check(); err != nil {
			faults = append(faults, fmt.Errorf("persona of number %s: %w", number, err))
		}
		out.numbers[number] = &p
	}
	if len(byNumber) == 0 {
		faults = append(faults, errors.New("personas: there is none"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return out, nil
}

// at gives who answers at a number, or nil when nobody does.
func (p *Personas) at(number domain.NumberID) *Persona {
	if persona, ok := p.numbers[number]; ok {
		return persona
	}
	return p.others
}
