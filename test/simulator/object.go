package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// object is a JSON object that keeps its order: what goes over the wire is signed byte by byte, and Meta's own order is
// part of what a bot's raw-body verification meets.
type object []field

type field struct {
	key string
	val json.RawMessage
}

// obj builds an object from key, value, key, value ... of the package's own making; such values always marshal.
func obj(kv ...any) object {
	o := make(object, 0, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		o = append(o, field{kv[i].(string), mustJSON(kv[i+1])})
	}
	return o
}

func parseObject(b []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	tok, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	if tok != json.Delim('{') {
		return nil, errors.New("read object: not a JSON object")
	}
	var o object
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("read object key: %w", err)
		}
		var val json.RawMessage
		if err := dec.Decode(&val); err != nil {
			return nil, fmt.Errorf("read object value: %w", err)
		}
		o.set(key.(string), val)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("read object end: %w", err)
	}
	if dec.More() {
		return nil, errors.New("read object: trailing data")
	}
	return o, nil
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(mustJSON(f.key))
		b.WriteByte(':')
		b.Write(f.val)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o object) get(key string) (json.RawMessage, bool) {
	for _, f := range o {
		if f.key == key {
			return f.val, true
		}
	}
	return nil, false
}

// str returns a member that is a string, else "".
func (o object) str(key string) string {
	raw, _ := o.get(key)
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// sub returns a member that is an object, else nil.
func (o object) sub(key string) object {
	raw, ok := o.get(key)
	if !ok {
		return nil
	}
	sub, err := parseObject(raw)
	if err != nil {
		return nil
	}
	return sub
}

// set replaces a member in its place or adds it at the end.
func (o *object) set(key string, val any) {
	raw := mustJSON(val)
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].val = raw
			return
		}
	}
	*o = append(*o, field{key, raw})
}

func mustJSON(v any) json.RawMessage {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("simulator: own value does not marshal: " + err.Error())
	}
	return b
}
