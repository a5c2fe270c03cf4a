package telemetry

import (
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The field names Cloud Logging takes out of a JSON line (Cloud Logging,
// "Structured logging: special fields").
const (
	keyLabels  = "logging.googleapis.com/labels"
	keySource  = "logging.googleapis.com/sourceLocation"
	keyTrace   = "logging.googleapis.com/trace"
	keySpan    = "logging.googleapis.com/spanId"
	keySampled = "logging.googleapis.com/trace_sampled"

	// keyStack is where Error Reporting looks for a stack first (Error Reporting,
	// "Format errors in logs").
	keyStack = "stack_trace"
)

func cloudEncoder() zapcore.Encoder {
	return zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "severity", NameKey: "logger", MessageKey: "message",
		EncodeTime:     utcNano,
		EncodeLevel:    func(l zapcore.Level, enc zapcore.PrimitiveArrayEncoder) { enc.AppendString(severity(l)) },
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
		LineEnding:     "\n",
	})
}

func severity(l zapcore.Level) string {
	switch l {
	case zapcore.DebugLevel:
		return "DEBUG"
	case zapcore.InfoLevel:
		return "INFO"
	case zapcore.WarnLevel:
		return "WARNING"
	case zapcore.ErrorLevel:
		return "ERROR"
	case zapcore.DPanicLevel:
		return "CRITICAL"
	case zapcore.PanicLevel:
		return "ALERT"
	case zapcore.FatalLevel:
		return "EMERGENCY"
	}
	return "DEFAULT"
}

// cloudParts are what the cloud format adds to a line.
type cloudParts struct{ service service }

// fields are the additions to one entry: where it was logged and, from the error
// level on, what Error Reporting needs.
func (p *cloudParts) fields(ent zapcore.Entry, given []zap.Field) []zap.Field {
	var out []zap.Field
	if ent.Caller.Defined {
		out = append(out, zap.Object(keySource, location{ent.Caller, false}))
	}
	if ent.Level < zapcore.ErrorLevel {
		return out
	}
	out = append(out, zap.Object("serviceContext", p.service))
	i := slices.IndexFunc(given, func(f zap.Field) bool { return f.Key == keyStack })
	switch {
	case i < 0:
		out = append(out, zap.String(keyStack, headline(ent, given)+"\n\n"+stack()))
	case given[i].Type == zapcore.SkipType:
		// Without a stack the entry must say itself that it is an error.
		out = append(out, zap.String("@type", "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"))
		if ent.Caller.Defined {
			out = append(out, zap.Dict("context", zap.Object("reportLocation", location{ent.Caller, true})))
		}
	}
	return out
}

// NoStack is a field for an error line whose stack would tell nothing, such as a
// vendor's refusal. Error Reporting still sees the line as an error.
func NoStack() zap.Field { return zap.Field{Key: keyStack, Type: zapcore.SkipType} }

// headline is the error text that stands above a stack.
func headline(ent zapcore.Entry, fields []zap.Field) string {
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			return ent.Message + ": " + errorText(err)
		}
	}
	return ent.Message
}

// errorText is err's text; a nil pointer in an error must not end the program in
// its logger.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "(an error that cannot be printed)"
		}
	}()
	return err.Error()
}

const maxStack = 16 << 10

// inner are the frames between the logging call and stack.
var inner = regexp.MustCompile(`^(go\.uber\.org/zap|whatsappnode/adapters/telemetry\.)`)

// stack is the stack of the caller in the form of runtime.Stack, the only one
// Error Reporting reads, without the logger's own frames on top.
func stack() string {
	buf := make([]byte, maxStack)
	head, rest, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "\n")
	for inner.MatchString(rest) {
		_, after, ok := strings.Cut(rest, "\n") // the function
		_, after, more := strings.Cut(after, "\n")
		if !ok || !more {
			break
		}
		rest = after
	}
	return head + "\n" + rest
}

type service struct{ name, version string }

func (s service) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("service", s.name)
	if s.version != "" {
		enc.AddString("version", s.version)
	}
	return nil
}

// location names a place in the code, in the words of a log entry or of an error
// report.
type location struct {
	caller zapcore.EntryCaller
	report bool
}

func (l location) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	file, _, _ := strings.Cut(l.caller.TrimmedPath(), ":")
	if l.report {
		enc.AddString("filePath", file)
		enc.AddInt("lineNumber", l.caller.Line)
		enc.AddString("functionName", l.caller.Function)
		return nil
	}
	enc.AddString("file", file)
	enc.AddString("line", strconv.Itoa(l.caller.Line)) // an int64 is a string in proto JSON
	enc.AddString("function", l.caller.Function)
	return nil
}

type labels map[string]string

func (l labels) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, k := range slices.Sorted(maps.Keys(l)) {
		enc.AddString(k, l[k])
	}
	return nil
}

var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// Trace gives the fields by which Cloud Logging ties a line to a trace, from a W3C
// traceparent. A malformed or all-zero one gives none. Project is the Google Cloud
// project, or empty.
func Trace(project, parent string) []zap.Field {
	m := traceparent.FindStringSubmatch(parent)
	if m == nil || strings.HasPrefix(parent, "ff") || strings.Trim(m[1], "0") == "" || strings.Trim(m[2], "0") == "" {
		return nil
	}
	if strings.HasPrefix(parent, "00") && m[4] != "" {
		return nil // version 00 ends with the flags
	}
	id := m[1]
	if project != "" {
		id = "projects/" + project + "/traces/" + id
	}
	flags, _ := strconv.ParseUint(m[3], 16, 8) // two hex digits by the pattern
	return []zap.Field{zap.String(keyTrace, id), zap.String(keySpan, m[2]), zap.Bool(keySampled, flags&1 == 1)}
}
