package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"whatsappnode/adapters/telemetry"
)

// noon is a clock that stands still, in a zone that is not UTC.
type noon struct{}

func (noon) Now() time.Time {
	return time.Date(2026, 5, 1, 14, 0, 0, 123456789, time.FixedZone("", 2*3600))
}
func (noon) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

func logger(t *testing.T, format, level string, o telemetry.Options) (*zap.Logger, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	o.Clock = noon{}
	l, err := telemetry.NewLogger(format, level, &out, o)
	require.NoError(t, err)
	return l, &out
}

// fields decodes the one line in out.
func fields(t *testing.T, out *bytes.Buffer) map[string]any {
	t.Helper()
	line := strings.TrimSuffix(out.String(), "\n")
	require.NotContains(t, line, "\n", "one entry is one line")
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &m), line)
	return m
}

var lineNumber = regexp.MustCompile(`"line":"\d+"`)

func TestCloudLine(t *testing.T) {
	l, out := logger(t, "cloud", "debug", telemetry.Options{Service: "whatsapp-node", Version: "1.2.3", Labels: map[string]string{"role": "all", "app": "bot"}})
	l = l.Named("app").With(zap.String("component", "worker"))
	l.Info("turn.finished", append(telemetry.Trace("proj", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
		zap.Int("n", 3), zap.Duration("took", 1500*time.Millisecond), zap.Error(errors.New("boom")))...)
	assert.Equal(t, `{"severity":"INFO","time":"2026-05-01T12:00:00.123456789Z","logger":"app","message":"turn.finished",`+
		`"logging.googleapis.com/labels":{"app":"bot","role":"all"},"component":"worker",`+
		`"logging.googleapis.com/sourceLocation":{"file":"telemetry/logger_test.go","line":"N","function":"whatsappnode/adapters/telemetry_test.TestCloudLine"},`+
		`"logging.googleapis.com/trace":"projects/proj/traces/4bf92f3577b34da6a3ce929d0e0e4736","logging.googleapis.com/spanId":"00f067aa0ba902b7","logging.googleapis.com/trace_sampled":true,`+
		`"n":3,"took":"1.5s","error":"boom"}`+"\n",
		lineNumber.ReplaceAllString(out.String(), `"line":"N"`))
}

func TestConsoleLine(t *testing.T) {
	l, out := logger(t, "console", "info", telemetry.Options{Service: "whatsapp-node"})
	l.Debug("not shown")
	l.Warn("store is slow", zap.Int("ms", 120), zap.String("pii.name", "marker"))
	l.Error("store is down", telemetry.NoStack())
	assert.Equal(t, "14:00:00.123  WARN  store is slow  {\"ms\": 120}\n14:00:00.123  ERROR  store is down\n", out.String(),
		"no colour where there is no terminal")
}

func TestSeverity(t *testing.T) {
	for level, want := range map[zapcore.Level]string{
		zap.DebugLevel: "DEBUG", zap.InfoLevel: "INFO", zap.WarnLevel: "WARNING", zap.ErrorLevel: "ERROR",
		zap.DPanicLevel: "CRITICAL", zap.PanicLevel: "ALERT", zap.FatalLevel: "EMERGENCY",
	} {
		l, out := logger(t, "cloud", "debug", telemetry.Options{})
		l = l.WithOptions(zap.WithFatalHook(noExit{}))
		func() {
			defer func() { _ = recover() }()
			l.Log(level, "x")
		}()
		assert.Equal(t, want, fields(t, out)["severity"])
	}
}

type noExit struct{}

func (noExit) OnWrite(*zapcore.CheckedEntry, []zapcore.Field) { panic("instead of leaving") }

func TestErrorReporting(t *testing.T) {
	o := telemetry.Options{Service: "whatsapp-node", Version: "1.2.3"}
	t.Run("ErrorsCarryTheirStack", func(t *testing.T) {
		l, out := logger(t, "cloud", "info", o)
		l.Error("store is down", zap.Int("n", 1), zap.Error(errors.New("refused")))
		m := fields(t, out)
		assert.Equal(t, map[string]any{"service": "whatsapp-node", "version": "1.2.3"}, m["serviceContext"])
		stack := m["stack_trace"].(string)
		assert.Regexp(t, `^store is down: refused\n\ngoroutine \d+ \[running\]:\nwhatsappnode/adapters/telemetry_test\.TestErrorReporting\.func1\(`, stack,
			"the text, runtime.Stack's first line, and then the caller, not the logger")
		assert.NotContains(t, m, "@type")
	})
	t.Run("AGivenStackIsKept", func(t *testing.T) {
		l, out := logger(t, "cloud", "info", o)
		l.Error("panic", zap.String("stack_trace", "panic: x\n\ngoroutine 1 [running]:\n"))
		assert.Equal(t, 1, strings.Count(out.String(), "stack_trace"))
		assert.Equal(t, "panic: x\n\ngoroutine 1 [running]:\n", fields(t, out)["stack_trace"])
	})
	t.Run("WithoutAStack", func(t *testing.T) {
		l, out := logger(t, "cloud", "info", o)
		l.Error("llm.fail", telemetry.NoStack())
		m := fields(t, out)
		assert.NotContains(t, m, "stack_trace")
		assert.Equal(t, "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent", m["@type"])
		where := m["context"].(map[string]any)["reportLocation"].(map[string]any)
		assert.Equal(t, "telemetry/logger_test.go", where["filePath"])
		assert.NotZero(t, where["lineNumber"])
		assert.Contains(t, where["functionName"], "TestErrorReporting")
	})
	t.Run("WarningsAreNoErrors", func(t *testing.T) {
		l, out := logger(t, "cloud", "info", o)
		l.Warn("slow", zap.Error(errors.New("x")))
		assert.NotContains(t, fields(t, out), "serviceContext")
	})
	t.Run("AnErrorThatCannotBePrinted", func(t *testing.T) {
		l, out := logger(t, "cloud", "info", o)
		var nothing *broken
		l.Error("odd", zap.Error(nothing))
		assert.NotEmpty(t, out.String())
	})
}

type broken struct{ text string }

func (b *broken) Error() string { return b.text }

type person struct{}

func (person) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("kind", "user")
	enc.AddString("pii.phone", "marker")
	if err := enc.AddObject("inner", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		enc.AddInt("pii.age", 77777)
		enc.AddInt("size", 5)
		return nil
	})); err != nil {
		return err
	}
	enc.OpenNamespace("pii.rest")
	enc.AddString("name", "marker")
	return nil
}

func TestPersonalFieldsAreNeverWritten(t *testing.T) {
	for _, format := range []string{"cloud", "console"} {
		t.Run(format, func(t *testing.T) {
			l, out := logger(t, format, "debug", telemetry.Options{})
			with := l.With(zap.String("pii.text", "marker"), zap.String("kept", "yes"))
			with.Debug("a", zap.String("pii.text", "marker"), zap.Any("pii.any", map[string]string{"x": "marker"}), zap.Int("n", 1))
			with.Error("b", zap.Object("person", person{}), zap.Inline(person{}), zap.Dict("d", zap.String("pii.a", "marker"), zap.Int("m", 2)))
			l.Info("c", zap.Namespace("pii.ns"), zap.String("text", "marker"))
			l.With(zap.Namespace("pii.ns")).With(zap.String("text", "marker")).Info("d", zap.String("text", "marker"))
			l.Sugar().Infow("e", "pii.text", "marker", "n", 1)
			l.Info("f", zap.NamedError("pii.err", errors.New("marker")), zap.Stringer("pii.s", time.Second))
			got := out.String()
			assert.NotContains(t, got, "marker")
			assert.NotContains(t, got, "77777")
			assert.NotContains(t, got, "pii.")
			for _, kept := range []string{"kept", "yes", "kind", "user", "size"} {
				assert.Contains(t, got, kept)
			}
			assert.Equal(t, 6, strings.Count(got, "\n"))
		})
	}
}

func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("é\n", 100<<10)
	many := make([]zap.Field, 5000)
	for i := range many {
		many[i] = zap.String(fmt.Sprintf("field_%d", i), "0123456789")
	}
	for name, write := range map[string]func(l *zap.Logger){
		"Message":    func(l *zap.Logger) { l.Info(long) },
		"Field":      func(l *zap.Logger) { l.Info("kept", zap.String("text", long), zap.Int("n", 1)) },
		"Control":    func(l *zap.Logger) { l.Info("kept", zap.String("text", strings.Repeat("\x01", 100<<10))) },
		"Error":      func(l *zap.Logger) { l.Error("kept", zap.Error(errors.New(long))) },
		"Stack":      func(l *zap.Logger) { l.Error("kept", zap.String("stack_trace", long)) },
		"Reflected":  func(l *zap.Logger) { l.Info("kept", zap.Any("x", map[string]string{"x": long})) },
		"Object":     func(l *zap.Logger) { l.Info("kept", zap.Dict("x", zap.String("x", long))) },
		"Array":      func(l *zap.Logger) { l.Info("kept", zap.Strings("x", []string{long})) },
		"Bytes":      func(l *zap.Logger) { l.Info("kept", zap.Binary("x", []byte(long))) },
		"ManyFields": func(l *zap.Logger) { l.Info("kept", many...) },
		"Context":    func(l *zap.Logger) { l.With(zap.String("text", long)).Info("kept") },
		"Everything": func(l *zap.Logger) { l.Named(long).With(many...).Error(long, zap.Error(errors.New(long))) },
	} {
		t.Run(name, func(t *testing.T) {
			var cuts atomic.Int64
			l, out := logger(t, "cloud", "debug", telemetry.Options{Truncated: &cuts, Service: "s"})
			write(l)
			assert.LessOrEqual(t, out.Len(), telemetry.MaxLine)
			m := fields(t, out)
			assert.Greater(t, m["truncated_bytes"], float64(telemetry.MaxLine))
			assert.EqualValues(t, 1, cuts.Load())
			if name != "Message" && name != "Everything" {
				assert.Equal(t, "kept", m["message"])
			}
		})
	}
	t.Run("JustRight", func(t *testing.T) {
		var cuts atomic.Int64
		l, out := logger(t, "cloud", "debug", telemetry.Options{Truncated: &cuts})
		l.Info("x", zap.String("text", strings.Repeat("x", 30<<10)))
		assert.Zero(t, cuts.Load())
		assert.Len(t, fields(t, out)["text"], 30<<10)
	})
}

func TestTrace(t *testing.T) {
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for parent, want := range map[string]int{
		"00-" + id + "-" + span + "-00":                      3,
		"01-" + id + "-" + span + "-01-more":                 3,
		"00-" + id + "-" + span + "-01-more":                 0,
		"ff-" + id + "-" + span + "-01":                      0,
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01": 0,
		"00-" + id + "-" + strings.Repeat("0", 16) + "-01":   0,
		"00-" + strings.ToUpper(id) + "-" + span + "-01":     0,
		"": 0, "marker": 0, "00-" + id: 0,
	} {
		assert.Len(t, telemetry.Trace("", parent), want, parent)
	}
	assert.Equal(t, id, telemetry.Trace("", "00-"+id+"-"+span+"-00")[0].String)
}

func TestNewLoggerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		format, level string
		o             telemetry.Options
	}{
		"Format": {"xml", "info", telemetry.Options{}}, "Level": {"cloud", "loud", telemetry.Options{}},
		"SilentLevel": {"cloud", "fatal", telemetry.Options{}}, "SmallLine": {"cloud", "info", telemetry.Options{MaxLine: 10}},
	} {
		_, err := telemetry.NewLogger(c.format, c.level, os.Stdout, c.o)
		assert.Error(t, err, name)
	}
	_, err := telemetry.NewLogger("cloud", "info", nil, telemetry.Options{})
	assert.Error(t, err)
}

func TestRedirectStdLog(t *testing.T) {
	l, out := logger(t, "cloud", "info", telemetry.Options{})
	restore, err := telemetry.RedirectStdLog(l)
	require.NoError(t, err)
	log.Print("from a library")
	restore()
	m := fields(t, out)
	assert.Equal(t, "from a library", m["message"])
	assert.Equal(t, "WARNING", m["severity"])
	assert.Equal(t, "stdlog", m["logger"])
}

func TestSyncOfAPipeIsNoError(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	l, err := telemetry.NewLogger("cloud", "info", w, telemetry.Options{})
	require.NoError(t, err)
	assert.NoError(t, l.Sync())
}
