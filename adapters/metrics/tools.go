package metrics

import (
	"errors"
	"sync"

	"whatsappnode/ports"
)

// maxTools bounds the names of tools that have series of their own. The settings allow
// tools by name or all of a server, and a server may change its names while it runs.
const maxTools = 256

// otherTools stands for the names above the bound.
const otherTools = "other_tools"

// toolFailed is the outcome of a tool that ran and reports a failure.
const toolFailed = "tool_error"

// toolNames are the names that have series.
type toolNames struct {
	mu    sync.Mutex
	known map[string]struct{}
}

// label is the name, or what stands for it.
func (n *toolNames) label(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.known[name]; ok {
		return name
	}
	if len(n.known) >= maxTools {
		return otherTools
	}
	if n.known == nil {
		n.known = map[string]struct{}{}
	}
	n.known[name] = struct{}{}
	return name
}

// toolCalled counts a call of a tool, and times it where the tool has answered.
func (m *Metrics) toolCalled(ev ports.Event) {
	tool, outcome, answered := m.toolNames.label(ev.Detail), "ok", true
	switch {
	case errors.Is(ev.Err, ports.ErrToolFailed):
		outcome = toolFailed
	case ev.Err != nil:
		outcome, answered = string(ports.KindOf(ev.Err)), false
	}
	m.toolCalls.WithLabelValues(tool, outcome).Inc()
	if answered {
		m.toolTime.WithLabelValues(tool).Observe(ev.Took.Seconds())
	}
}
