package metrics

import (
	"errors"

	"whatsappnode/ports"
)

var _ ports.ObserverPort = (*Metrics)(nil)

// Where a panic was caught.
const (
	whereTurn    = "turn"
	whereRequest = "request"
)

// stageNames are the timed stages of a turn.
var stageNames = map[ports.Stage]string{
	ports.StageTranscribed: "understand",
	ports.StageAnswered:    "answer",
	ports.StageSpoken:      "speak",
	ports.StageSent:        "send",
}

// Observe implements ports.ObserverPort.
func (m *Metrics) Observe(ev ports.Event) {
	if name, timed := stageNames[ev.Stage]; timed && ev.Err == nil {
		m.stages.WithLabelValues(name).Observe(ev.Took.Seconds())
	}
	switch ev.Stage {
	case ports.StageReceived:
		m.messages.WithLabelValues("new").Inc()
	case ports.StageDuplicate:
		m.messages.WithLabelValues("duplicate").Inc()
	case ports.StageLeased:
		if ev.Age > 0 {
			m.queueWait.Observe(ev.Age.Seconds())
		}
	case ports.StageToolCalled:
		m.toolCalled(ev)
	case ports.StageSent:
		m.sends.WithLabelValues("sent").Inc()
		if ev.Age > 0 {
			m.replies.WithLabelValues(ev.Detail).Observe(ev.Age.Seconds())
		}
	case ports.StageRefused:
		m.refused(ev)
	case ports.StageUnsettled:
		m.ambiguous.WithLabelValues(ev.Detail).Inc()
	case ports.StageDelivered, ports.StageRead, ports.StagePlayed:
		m.deliveries.WithLabelValues(string(ev.Stage)).Inc()
	case ports.StageDeferred:
		m.deferrals.WithLabelValues(ev.Detail).Inc()
	case ports.StageFallback:
		m.fallbacks.WithLabelValues(ev.Detail).Inc()
	case ports.StageDropped:
		m.dropped.WithLabelValues(ev.Detail).Inc()
	case ports.StageFinished, ports.StageDead:
		m.turns.WithLabelValues(ev.Detail).Inc()
		m.turnTime.Observe(ev.Took.Seconds())
	case ports.StageWithheld, ports.StageTrimmed, ports.StageFiltered:
		m.guarded.WithLabelValues(string(ev.Stage)).Inc()
	case ports.StageHandoff:
		m.handoffs.WithLabelValues("asked").Inc()
	case ports.StageHandoffTold:
		state := "told"
		if ev.Err != nil {
			state = "failed"
		}
		m.handoffs.WithLabelValues(state).Inc()
	case ports.StageBudgetNear:
		m.budgets.WithLabelValues(ev.Detail, "near").Inc()
	case ports.StageBudgetReached:
		m.budgets.WithLabelValues(ev.Detail, "reached").Inc()
	case ports.StageBudgetStep:
		m.steps.WithLabelValues(ev.Detail).Inc()
	case ports.StageProviderFee:
		m.fees.Inc()
	case ports.StageTrouble:
		m.trouble.Inc()
	}
	var panicked *ports.PanicError
	if ev.Err != nil && errors.As(ev.Err, &panicked) {
		m.panics.WithLabelValues(whereTurn).Inc()
	}
}

// refused tells a refusal by the status webhook, one of a send and one of a clip that
// was to be heard apart.
func (m *Metrics) refused(ev ports.Event) {
	switch {
	case ev.Late:
		m.deliveries.WithLabelValues("failed").Inc()
	case ev.Detail != "clip":
		m.sends.WithLabelValues("refused").Inc()
	}
}
