package fake

import (
	"slices"
	"strconv"
	"strings"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.ToolCaller = (*LLM)(nil)

// CallsTools implements ports.ToolCaller.
func (*LLM) CallsTools() bool { return true }

// Act is what the model does with a request: it says something, asks for tools, or
// both. Calls without an id are given one.
type Act struct {
	Text  string
	Calls []ports.ToolCall
}

// Acts makes the model act by a function where no script is left; nil takes it back.
func (l *LLM) Acts(f func(ports.LLMRequest) Act) {
	if f == nil {
		l.act.Store(nil)
		return
	}
	l.act.Store(&f)
}

// acts decides what is done with a request.
func (l *LLM) acts(k Knobs, req ports.LLMRequest) Act {
	f := l.act.Load()
	if f == nil || k.Empty || len(l.script) > 0 {
		return Act{Text: l.words(k, req)}
	}
	act := (*f)(req)
	act.Calls = slices.Clone(act.Calls)
	for i := range act.Calls {
		if act.Calls[i].ID == "" {
			act.Calls[i].ID = "call_" + strconv.Itoa(req.CallCount()+i+1)
		}
	}
	return act
}

// heard is what a message tells: its text, or the results of tools.
func heard(m ports.LLMMessage) string {
	if len(m.Results) == 0 {
		return domain.Unfence(domain.FenceMessage, m.Text)
	}
	var texts []string
	for _, r := range m.Results {
		texts = append(texts, domain.Unfence(domain.FenceResult, r.Text))
	}
	return strings.Join(texts, "\n")
}
