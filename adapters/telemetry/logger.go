package telemetry

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The formats of NewLogger.
const (
	FormatCloud   = "cloud"
	FormatConsole = "console"
)

// MaxLine is the default bound of one line in bytes. Cloud Logging takes 256 KB
// an entry, but a line near that size is a fault of ours.
const MaxLine = 32 << 10

// minLine is room for the fixed parts of a line.
const minLine = 1 << 10

// Options of NewLogger; the zero value is good for tests.
type Options struct {
	// Service and Version name the program to Error Reporting.
	Service, Version string
	// Labels are put on every line of the cloud format.
	Labels map[string]string
	// Clock is the time source; the real clock when nil.
	Clock zapcore.Clock
	// MaxLine bounds a line in bytes; MaxLine the constant when 0.
	MaxLine int
	// Truncated counts the lines that were cut; may be nil.
	Truncated *atomic.Int64
	// NoColor keeps the console format plain on a terminal too.
	NoColor bool
}

// NewLogger makes a logger that writes to w, one write a line, in the given format
// ("cloud" or "console") from the given level on ("debug", "info", "warn",
// "error"). It may be used concurrently.
func NewLogger(format, level string, w io.Writer, o Options) (*zap.Logger, error) {
	lowest, err := zapcore.ParseLevel(level)
	if err != nil || lowest > zapcore.ErrorLevel {
		return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", level)
	}
	if w == nil {
		return nil, errors.New("logger has no writer")
	}
	if o.MaxLine == 0 {
		o.MaxLine = MaxLine
	}
	if o.MaxLine < minLine {
		return nil, fmt.Errorf("log line bound of %d bytes is below %d", o.MaxLine, minLine)
	}
	if o.Truncated == nil {
		o.Truncated = new(atomic.Int64)
	}
	c := &core{LevelEnabler: lowest, out: zapcore.Lock(zapcore.AddSync(w)), maxLine: o.MaxLine, truncated: o.Truncated}
	switch format {
	case FormatCloud:
		c.enc = cloudEncoder()
		c.cloud = &cloudParts{service: service{o.Service, o.Version}}
		if len(o.Labels) > 0 {
			zap.Object(keyLabels, labels(o.Labels)).AddTo(c.enc)
		}
	case FormatConsole:
		c.enc = consoleEncoder(!o.NoColor && isTerminal(w))
	default:
		return nil, fmt.Errorf("log format %q is not one of %s, %s", format, FormatCloud, FormatConsole)
	}
	c.bare = c.enc.Clone()
	options := []zap.Option{zap.AddCaller()}
	if o.Clock != nil {
		options = append(options, zap.WithClock(o.Clock))
	}
	return zap.New(c, options...), nil
}

// RedirectStdLog sends the standard library's log package, which some libraries
// print to, into l at the warning level. The returned function undoes it.
func RedirectStdLog(l *zap.Logger) (restore func(), err error) {
	restore, err = zap.RedirectStdLogAt(l.Named("stdlog"), zapcore.WarnLevel)
	if err != nil {
		return nil, fmt.Errorf("redirect standard log: %w", err)
	}
	return restore, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func consoleEncoder(color bool) zapcore.Encoder {
	cfg := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "message",
		EncodeTime:       zapcore.TimeEncoderOfLayout("15:04:05.000"),
		EncodeLevel:      zapcore.CapitalLevelEncoder,
		EncodeDuration:   zapcore.StringDurationEncoder,
		ConsoleSeparator: "  ",
	}
	if color {
		cfg.EncodeLevel = zapcore.CapitalColorLevelEncoder
	}
	return zapcore.NewConsoleEncoder(cfg)
}

// utcNano is RFC 3339 with nanoseconds in UTC, whatever the machine's zone.
func utcNano(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
	enc.AppendString(t.UTC().Format(time.RFC3339Nano))
}
