package bot

import (
	"encoding/json"
	"time"

	"whatsappnode/adapters/pricing"
)

// result is how a check ended.
type result string

const (
	resultOK result = "ok"
	// resultWarning works, and somebody should know something about it.
	resultWarning result = "warning"
	// resultSkipped was not tried, for a reason that is told.
	resultSkipped result = "skipped"
	resultFailed  result = "failed"
)

// The exit codes of the program; sysexits.h calls 78 a configuration error.
const (
	exitFailed   = 1
	exitSettings = 78
)

// finding is one line of the report. Nothing in it is secret or personal.
type finding struct {
	Check   string // what was checked: settings, store, graph, webhook, llm, stt, tts
	Subject string // of several of a kind, which one: a variable, a provider, an agent
	Result  result
	Detail  string
	ToDo    string // what to do about it; always there for a failure
	Took    time.Duration
	Cost    cost
}

func (f *finding) ok(detail string) { f.Result, f.Detail = resultOK, detail }

func (f *finding) warn(detail, toDo string) { f.Result, f.Detail, f.ToDo = resultWarning, detail, toDo }

func (f *finding) skip(detail, toDo string) { f.Result, f.Detail, f.ToDo = resultSkipped, detail, toDo }

func (f *finding) fail(detail, toDo string) { f.Result, f.Detail, f.ToDo = resultFailed, detail, toDo }

// MarshalJSON implements json.Marshaler.
func (f finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Check   string  `json:"check"`
		Subject string  `json:"subject,omitempty"`
		Result  result  `json:"result"`
		Detail  string  `json:"detail"`
		ToDo    string  `json:"to_do,omitempty"`
		TookMS  float64 `json:"took_ms"`
		Cost    cost    `json:"cost_usd"`
	}{f.Check, f.Subject, f.Result, f.Detail, f.ToDo, float64(f.Took.Microseconds()) / 1000, f.Cost})
}

// cost is what something costs, as far as it is known. The zero value is something
// that nobody charges for.
type cost struct {
	kind   costKind
	amount pricing.Amount
}

type costKind int8

const (
	costNone    costKind = iota // nothing was used
	costFree                    // used, and free of charge
	costKnown                   // charged
	costUnknown                 // charged, and nobody here knows how much
)

func (c cost) String() string {
	switch c.kind {
	case costFree:
		return "free"
	case costUnknown:
		return "unknown"
	case costKnown:
		return c.amount.String()
	}
	return "-"
}

// MarshalJSON implements json.Marshaler: a number of dollars, or null for what is not
// known.
func (c cost) MarshalJSON() ([]byte, error) {
	if c.kind == costUnknown {
		return []byte("null"), nil
	}
	return json.Marshal(c.amount.Dollars())
}

// add sums up. A sum with a part that is not known is not known, and keeps the rest.
func (c cost) add(other cost) cost {
	return cost{kind: max(c.kind, other.kind), amount: c.amount + other.amount}
}

// report is everything that was found.
type report struct {
	Version  string    `json:"version"`
	OK       bool      `json:"ok"`
	ExitCode int       `json:"exit_code"`
	Checks   []finding `json:"checks"`
	Spent    cost      `json:"cost_usd"` // by the check itself; null when a part of it is not known
	Turns    []turn    `json:"typical_turns"`
}

// turn is the estimate for one exchange with a user.
type turn struct {
	Agents   []string   `json:"agents,omitempty"` // those it holds for; empty: all
	Parts    []turnPart `json:"parts"`
	Together cost       `json:"cost_usd"` // null when a part is not known
}

// turnPart is what one stage of a turn costs.
type turnPart struct {
	Doing    string `json:"doing"` // hearing, thinking, speaking, sending
	Provider string `json:"provider"`
	Model    string `json:"model,omitempty"`
	Cost     cost   `json:"cost_usd"`
	// Source is the page the price is from and the day it was read, or why it is not
	// known.
	Source string `json:"source,omitempty"`
}

// judge settles the exit code and the sum.
func (r *report) judge(settingsWrong bool) {
	for _, f := range r.Checks {
		if f.Result == resultFailed {
			r.ExitCode = exitFailed
		}
		r.Spent = r.Spent.add(f.Cost)
	}
	if settingsWrong {
		r.ExitCode = exitSettings
	}
	r.OK = r.ExitCode == 0
}
