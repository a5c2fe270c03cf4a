package gemini

import (
	"encoding/json"
	"errors"
	"io"
)

var errMalformed = errors.New("the answer is malformed")

// streamError is an error object among the chunks of an answer.
type streamError struct{ status rpcStatus }

func (*streamError) Error() string { return "an error came in the stream" }

// mender is a reader that mends a streamed answer, a JSON array of chunks, for the
// library:
//
//   - Parts without text are dropped. On a part that holds only a thought
//     signature, as the last chunk of a current model does, the library fails, and
//     the finish reason and the token counts of that chunk would be lost; on a
//     function's response it panics. Parts marked as a thought are dropped too: the
//     library takes them for the answer.
//   - An error object among the chunks becomes an error; the library takes it for
//     an empty chunk.
//   - An array that breaks off between two chunks becomes io.ErrUnexpectedEOF; the
//     library takes it for a good end.
//
// A chunk is passed on as soon as it is whole.
type mender struct {
	dec    *json.Decoder
	out    []byte // mended, not yet read
	err    error  // what follows out
	begun  bool
	chunks int
}

func newMender(r io.Reader) *mender { return &mender{dec: json.NewDecoder(r)} }

// Read implements io.Reader.
func (m *mender) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		m.out, m.err = m.next()
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// next returns the next piece of the array.
func (m *mender) next() ([]byte, error) {
	if !m.begun {
		m.begun = true
		return []byte{'['}, m.delim('[')
	}
	if !m.dec.More() {
		if err := m.delim(']'); err != nil {
			return nil, err
		}
		return []byte{']'}, io.EOF
	}
	var raw json.RawMessage
	if err := m.dec.Decode(&raw); err != nil {
		return nil, unexpected(err)
	}
	chunk, err := mend(raw)
	if err != nil {
		return nil, err
	}
	if m.chunks++; m.chunks > 1 {
		chunk = append([]byte{','}, chunk...)
	}
	return chunk, nil
}

// delim takes one bracket.
func (m *mender) delim(want json.Delim) error {
	token, err := m.dec.Token()
	switch {
	case err != nil:
		return unexpected(err)
	case token != want:
		return errMalformed
	}
	return nil
}

// unexpected says of an error that the array had not ended.
func unexpected(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.As(err, &syntax):
		return errMalformed
	}
	return err
}

// mend rewrites one chunk. What is not of the expected form is left to the library
// to refuse.
func mend(raw []byte) ([]byte, error) {
	var chunk map[string]any
	if json.Unmarshal(raw, &chunk) != nil {
		return nil, errMalformed
	}
	if _, is := chunk["error"]; is {
		return nil, &streamError{parseStatus(raw)}
	}
	candidates, _ := chunk["candidates"].([]any)
	for _, c := range candidates {
		candidate, _ := c.(map[string]any)
		content, _ := candidate["content"].(map[string]any)
		if parts, has := content["parts"].([]any); has {
			content["parts"] = spoken(parts)
		}
	}
	return json.Marshal(chunk)
}

// spoken are the parts that are text of the answer, as nothing but text.
func spoken(parts []any) []any {
	kept := []any{}
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if text, has := part["text"]; has && part["thought"] != true {
			kept = append(kept, map[string]any{"text": text})
		}
	}
	return kept
}
