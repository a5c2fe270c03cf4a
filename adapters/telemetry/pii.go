package telemetry

import (
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// piiPrefix marks fields that hold personal data. They are for debuggers and
// tests that look at an entry in memory; no line ever shows them.
const piiPrefix = "pii."

func personal(key string) bool { return strings.HasPrefix(key, piiPrefix) }

// public keeps the fields that may be written. It reports whether a personal
// namespace was opened, since everything after it lies inside. Objects are
// filtered while they are encoded; arrays, and what zap.Any writes by reflection,
// are not looked into.
func public(fields []zap.Field, muted bool) ([]zap.Field, bool) {
	if muted {
		return nil, true
	}
	out := make([]zap.Field, 0, len(fields))
	for _, f := range fields {
		if personal(f.Key) {
			if f.Type == zapcore.NamespaceType {
				return out, true
			}
			continue
		}
		if m, ok := f.Interface.(zapcore.ObjectMarshaler); ok && (f.Type == zapcore.ObjectMarshalerType || f.Type == zapcore.InlineMarshalerType) {
			switch m.(type) {
			case location, service: // our own, without keys of others
			default:
				f.Interface = filtered{m}
			}
		}
		out = append(out, f)
	}
	return out, false
}

// filtered encodes an object without its personal fields.
type filtered struct{ zapcore.ObjectMarshaler }

func (f filtered) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return f.ObjectMarshaler.MarshalLogObject(&filter{enc: enc})
}

// filter passes on what is not personal.
type filter struct {
	enc   zapcore.ObjectEncoder
	muted bool
}

func (f *filter) hides(key string) bool { return f.muted || personal(key) }

func pass[T any](f *filter, key string, add func(string, T), v T) {
	if !f.hides(key) {
		add(key, v)
	}
}

func (f *filter) AddArray(key string, v zapcore.ArrayMarshaler) error {
	if f.hides(key) {
		return nil
	}
	return f.enc.AddArray(key, v)
}

func (f *filter) AddObject(key string, v zapcore.ObjectMarshaler) error {
	if f.hides(key) {
		return nil
	}
	return f.enc.AddObject(key, filtered{v})
}

func (f *filter) AddReflected(key string, v any) error {
	if f.hides(key) {
		return nil
	}
	return f.enc.AddReflected(key, v)
}

func (f *filter) OpenNamespace(key string) {
	if f.hides(key) {
		f.muted = true
		return
	}
	f.enc.OpenNamespace(key)
}

func (f *filter) AddBinary(key string, v []byte)          { pass(f, key, f.enc.AddBinary, v) }
func (f *filter) AddByteString(key string, v []byte)      { pass(f, key, f.enc.AddByteString, v) }
func (f *filter) AddBool(key string, v bool)              { pass(f, key, f.enc.AddBool, v) }
func (f *filter) AddComplex128(key string, v complex128)  { pass(f, key, f.enc.AddComplex128, v) }
func (f *filter) AddComplex64(key string, v complex64)    { pass(f, key, f.enc.AddComplex64, v) }
func (f *filter) AddDuration(key string, v time.Duration) { pass(f, key, f.enc.AddDuration, v) }
func (f *filter) AddFloat64(key string, v float64)        { pass(f, key, f.enc.AddFloat64, v) }
func (f *filter) AddFloat32(key string, v float32)        { pass(f, key, f.enc.AddFloat32, v) }
func (f *filter) AddInt(key string, v int)                { pass(f, key, f.enc.AddInt, v) }
func (f *filter) AddInt64(key string, v int64)            { pass(f, key, f.enc.AddInt64, v) }
func (f *filter) AddInt32(key string, v int32)            { pass(f, key, f.enc.AddInt32, v) }
func (f *filter) AddInt16(key string, v int16)            { pass(f, key, f.enc.AddInt16, v) }
func (f *filter) AddInt8(key string, v int8)              { pass(f, key, f.enc.AddInt8, v) }
func (f *filter) AddString(key, v string)                 { pass(f, key, f.enc.AddString, v) }
func (f *filter) AddTime(key string, v time.Time)         { pass(f, key, f.enc.AddTime, v) }
func (f *filter) AddUint(key string, v uint)              { pass(f, key, f.enc.AddUint, v) }
func (f *filter) AddUint64(key string, v uint64)          { pass(f, key, f.enc.AddUint64, v) }
func (f *filter) AddUint32(key string, v uint32)          { pass(f, key, f.enc.AddUint32, v) }
func (f *filter) AddUint16(key string, v uint16)          { pass(f, key, f.enc.AddUint16, v) }
func (f *filter) AddUint8(key string, v uint8)            { pass(f, key, f.enc.AddUint8, v) }
func (f *filter) AddUintptr(key string, v uintptr)        { pass(f, key, f.enc.AddUintptr, v) }
