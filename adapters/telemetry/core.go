package telemetry

import (
	"errors"
	"sync/atomic"
	"syscall"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// core is a zapcore.Core that leaves personal fields out, adds what the cloud
// wants, and bounds the line.
type core struct {
	zapcore.LevelEnabler
	enc zapcore.Encoder
	// bare is enc without what With added, for a line that must be cut.
	bare zapcore.Encoder
	// muted is true below a namespace that is personal as a whole.
	muted     bool
	cloud     *cloudParts // nil in the console format
	out       zapcore.WriteSyncer
	maxLine   int
	truncated *atomic.Int64
}

// With implements zapcore.Core.
func (c *core) With(fields []zap.Field) zapcore.Core {
	clone := *c
	clone.enc = c.enc.Clone()
	fields, clone.muted = public(fields, c.muted)
	for _, f := range fields {
		f.AddTo(clone.enc)
	}
	return &clone
}

// Check implements zapcore.Core.
func (c *core) Check(ent zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(ent.Level) {
		return ce.AddCore(ent, c)
	}
	return ce
}

// Write implements zapcore.Core.
func (c *core) Write(ent zapcore.Entry, fields []zap.Field) error {
	fields, _ = public(fields, c.muted)
	if c.cloud != nil {
		// The cloud's own fields come first: a namespace among the others would
		// swallow them.
		fields = append(c.cloud.fields(ent, fields), fields...)
	}
	line, err := c.encode(ent, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	if _, err := c.out.Write(line.Bytes()); err != nil {
		return err
	}
	if ent.Level > zapcore.ErrorLevel {
		return c.Sync() // the process may be about to end
	}
	return nil
}

// encode makes the line, and a shorter one when it is over the bound: first with
// long values cut and structures left out, then with the message alone.
func (c *core) encode(ent zapcore.Entry, fields []zap.Field) (*buffer.Buffer, error) {
	line, err := c.enc.EncodeEntry(ent, fields)
	if err != nil || line.Len() <= c.maxLine {
		return line, err
	}
	c.truncated.Add(1)
	mark := zap.Int("truncated_bytes", line.Len())
	line.Free()

	ent.Message = cut(ent.Message, c.maxLine/16)
	short := []zap.Field{mark}
	for _, f := range fields {
		short = append(short, shorten(f, c.maxLine)...)
	}
	for _, attempt := range [][]zap.Field{short, {mark}} {
		if line, err = c.bare.EncodeEntry(ent, attempt); err != nil || line.Len() <= c.maxLine {
			return line, err
		}
		line.Free()
	}
	// Only labels, a logger name or escapes can be this long.
	ent.Message, ent.LoggerName = cut(ent.Message, 64), cut(ent.LoggerName, 64)
	return c.bare.EncodeEntry(ent, []zap.Field{mark})
}

// shorten bounds one field's share of a line that is too long. Escaping can
// multiply a text by six, hence the small shares.
func shorten(f zap.Field, maxLine int) []zap.Field {
	switch f.Type {
	case zapcore.StringType:
		share := maxLine / 64
		if f.Key == keyStack {
			share = maxLine / 4
		}
		f.String = cut(f.String, share)
	case zapcore.ErrorType:
		if err, ok := f.Interface.(error); ok {
			return []zap.Field{zap.String(f.Key, cut(errorText(err), maxLine/64))}
		}
		return nil
	case zapcore.ObjectMarshalerType:
		switch f.Interface.(type) {
		case location, service:
		default:
			return nil
		}
	case zapcore.ArrayMarshalerType, zapcore.InlineMarshalerType, zapcore.ReflectType,
		zapcore.BinaryType, zapcore.ByteStringType, zapcore.StringerType, zapcore.NamespaceType:
		return nil
	}
	return []zap.Field{f}
}

// cut shortens s to at most n bytes at a rune's edge and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// Sync implements zapcore.Core. Terminals and pipes cannot be synced, which is no
// error.
func (c *core) Sync() error {
	err := c.out.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.EBADF) {
		return nil
	}
	return err
}
