package telemetry

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"whatsappnode/ports"
)

// EventLogger writes what happens to turns as log events with stable names. It
// implements ports.ObserverPort: Observe only puts the event into a queue, and
// Run writes. When the queue is full events are dropped and counted.
type EventLogger struct {
	log     *zap.Logger
	refs    *Refs
	project string
	queue   chan ports.Event
	dropped atomic.Int64
}

var _ ports.ObserverPort = (*EventLogger)(nil)

// eventQueue is how many events may wait for a slow log.
const eventQueue = 4096

// NewEventLogger makes an EventLogger. Nothing is written until Run is called.
func NewEventLogger(log *zap.Logger, refs *Refs) (*EventLogger, error) {
	if log == nil || refs == nil {
		return nil, errors.New("event logger needs a logger and refs")
	}
	return &EventLogger{log: log.WithOptions(zap.WithCaller(false)), refs: refs, queue: make(chan ports.Event, eventQueue)}, nil
}

// Observe implements ports.ObserverPort. It takes well under a microsecond.
func (l *EventLogger) Observe(ev ports.Event) {
	ev.Messages = slices.Clone(ev.Messages)
	select {
	case l.queue <- ev:
	default:
		l.dropped.Add(1)
	}
}

// Dropped is how many events found the queue full.
func (l *EventLogger) Dropped() int64 { return l.dropped.Load() }

// InProject has trace ids written in the form that names a Google Cloud project. It is
// called before Run.
func (l *EventLogger) InProject(project string) { l.project = project }

// Run writes events until ctx ends, then those that wait still, and returns nil.
// Let it end last, so that it sees the end of everything else. It is called once.
func (l *EventLogger) Run(ctx context.Context) error {
	for {
		select {
		case ev := <-l.queue:
			l.write(ev)
		case <-ctx.Done():
			for {
				select {
				case ev := <-l.queue:
					l.write(ev)
				default:
					if n := l.dropped.Load(); n > 0 {
						l.log.Warn("events dropped", zap.Int64("dropped", n))
					}
					return nil
				}
			}
		}
	}
}

// event is how a stage is logged.
type event struct {
	ok, fail string // names; fail is used when the event has an error
	level    zapcore.Level
	detail   string // the key of Event.Detail
}

// events is the table of stable names. Alerts and saved searches depend on them.
var events = map[ports.Stage]event{
	ports.StageReceived:    {"webhook.received", "webhook.received", zapcore.InfoLevel, "detail"},
	ports.StageDuplicate:   {"dedup.hit", "dedup.hit", zapcore.InfoLevel, "detail"},
	ports.StageLeased:      {"turn.leased", "turn.leased", zapcore.DebugLevel, "detail"},
	ports.StageJoined:      {"turn.joined", "turn.joined", zapcore.InfoLevel, "detail"},
	ports.StageTranscribed: {"stt.ok", "stt.fail", zapcore.InfoLevel, "detail"},
	ports.StageFirstToken:  {"llm.first_token", "llm.fail", zapcore.DebugLevel, "vendor"},
	ports.StageToolCalled:  {"tool.ok", "tool.fail", zapcore.InfoLevel, "tool"},
	ports.StageAnswered:    {"llm.ok", "llm.fail", zapcore.InfoLevel, "vendor"},
	ports.StageFirstAudio:  {"tts.first_audio", "tts.fail", zapcore.DebugLevel, "detail"},
	ports.StageSpoken:      {"tts.ok", "tts.fail", zapcore.InfoLevel, "detail"},
	ports.StageSending:     {"reply.sending", "reply.fail", zapcore.DebugLevel, "detail"},
	ports.StageSent:        {"reply.sent", "reply.fail", zapcore.InfoLevel, "detail"},
	ports.StageUnsettled:   {"reply.ambiguous", "reply.ambiguous", zapcore.WarnLevel, "detail"},
	ports.StageDelivered:   {"reply.delivered", "reply.fail", zapcore.DebugLevel, "detail"},
	ports.StageRead:        {"reply.read", "reply.fail", zapcore.DebugLevel, "detail"},
	ports.StagePlayed:      {"reply.played", "reply.fail", zapcore.DebugLevel, "detail"},
	ports.StageRefused:     {"reply.fail", "reply.fail", zapcore.ErrorLevel, "reason"},
	ports.StageDeferred:    {"turn.deferred", "turn.deferred", zapcore.InfoLevel, "reason"},
	ports.StageFallback:    {"turn.fallback", "turn.fallback", zapcore.WarnLevel, "reason"},
	ports.StageFinished:    {"turn.finished", "turn.finished", zapcore.InfoLevel, "state"},
	ports.StageDropped:     {"turn.dropped", "turn.dropped", zapcore.InfoLevel, "reason"},
	ports.StageDead:        {"turn.dead", "turn.dead", zapcore.ErrorLevel, "reason"},
	ports.StageWithheld:    {"llm.withheld", "llm.withheld", zapcore.WarnLevel, "reason"},
	ports.StageTrimmed:     {"llm.trimmed", "llm.trimmed", zapcore.InfoLevel, "reason"},
	ports.StageFiltered:    {"words.filtered", "words.filtered", zapcore.InfoLevel, "what"},
	ports.StageHandoff:     {"handoff.asked", "handoff.asked", zapcore.InfoLevel, "how"},
	ports.StageHandoffTold: {"handoff.told", "handoff.failed", zapcore.InfoLevel, "detail"},
	ports.StageTrouble:     {"bot.trouble", "bot.trouble", zapcore.ErrorLevel, "what"},

	// Money.
	ports.StageBudgetStep:    {"budget.step", "budget.step", zapcore.InfoLevel, "step"},
	ports.StageBudgetNear:    {"budget.near", "budget.near", zapcore.WarnLevel, "budget"},
	ports.StageProviderFee:   {"fee.provider", "fee.provider", zapcore.ErrorLevel, "category"},
	ports.StageBudgetReached: {"budget.reached", "budget.reached", zapcore.ErrorLevel, "budget"},
}

func (l *EventLogger) write(ev ports.Event) {
	e, ok := events[ev.Stage]
	if !ok {
		e = event{"turn." + string(ev.Stage), "turn." + string(ev.Stage), zapcore.InfoLevel, "detail"}
	}
	name, level := e.ok, e.level
	if ev.Err != nil {
		name, level = e.fail, zapcore.ErrorLevel
		if ports.KindOf(ev.Err) == ports.KindCanceled {
			level = zapcore.InfoLevel // we were told to stop; nothing is wrong
		}
	}
	l.line(name, level, ev, e.detail)
	if ev.Stage == ports.StageReceived && ev.Err == nil {
		l.line("dedup.miss", zapcore.DebugLevel, ev, e.detail)
	}
}

// place is where an error without a stack is reported from. Error Reporting wants one,
// and groups by it, so the event stands for the function.
func place(event string) zapcore.EntryCaller {
	_, file, line, ok := runtime.Caller(0)
	return zapcore.EntryCaller{Defined: ok, File: file, Line: line, Function: event}
}

func (l *EventLogger) line(name string, level zapcore.Level, ev ports.Event, detailKey string) {
	entry := l.log.Check(level, name)
	if entry == nil {
		return
	}
	if !ev.At.IsZero() {
		entry.Time = ev.At
	}
	fields := make([]zap.Field, 0, 16)
	if ev.Trace != "" {
		fields = append(fields, Trace(l.project, ev.Trace)...)
	}
	fields = l.refs.Append(append(fields, zap.String("event", name)),
		ports.Subject{Turn: ev.Turn, Conversation: ev.Conversation, User: ev.User, Messages: ev.Messages})
	if ev.Reply != "" {
		fields = append(fields, l.refs.Reply(ev.Reply))
	}
	if ev.Took > 0 {
		fields = append(fields, zap.Float64("ms", float64(ev.Took.Round(time.Microsecond))/1e6))
	}
	if ev.Detail != "" {
		fields = append(fields, zap.String(detailKey, ev.Detail))
	}
	if ev.Err != nil {
		fields = append(fields, zap.String("error", ev.Err.Error()), zap.String("error_kind", string(ports.KindOf(ev.Err))))
		var ours *ports.Error
		if errors.As(ev.Err, &ours) && ours.Code != "" {
			fields = append(fields, zap.String("error_code", ours.Code))
		}
	}
	var panicked *ports.PanicError
	switch {
	case errors.As(ev.Err, &panicked):
		// The form that Error Reporting groups by.
		fields = append(fields, zap.String("stack_trace", panicked.Error()+"\n\n"+string(panicked.Stack)), NoStack())
	case level >= zapcore.ErrorLevel:
		fields = append(fields, NoStack()) // the stack here is always the same
		entry.Caller = place(name)
	}
	entry.Write(fields...)
}
