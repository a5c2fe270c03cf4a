package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

const (
	// maxLine bounds one event and maxStream a whole answer, in bytes: an answer of
	// 100,000 tokens with a hundred bytes around each would fit.
	maxLine   = 1 << 20
	maxStream = 16 << 20
)

var errStreamTooLong = errors.New("the stream is larger than 16 MB")

// events reads the data of server-sent events (WHATWG, "Server-sent events"), one
// line each as all servers send them. Comments, event names and blank lines are
// passed over. A line that is a JSON object by itself counts as data: some servers
// report an error that way, or do not stream at all.
type events struct {
	in   *bufio.Reader
	long []byte // a line longer than the reader's buffer
	read int
}

// usualEvents is room for some events. Thousands of streams may be open at once.
const usualEvents = 4 << 10

func newEvents(r io.Reader) *events { return &events{in: bufio.NewReaderSize(r, usualEvents)} }

// waiting reports whether a whole line of some event is here already.
func (e *events) waiting() bool {
	ready, _ := e.in.Peek(e.in.Buffered())
	return bytes.IndexByte(bytes.TrimLeft(ready, "\r\n"), '\n') >= 0
}

// line returns the next line, valid until the next call, or nil at the end.
func (e *events) line() ([]byte, error) {
	e.long = e.long[:0]
	for {
		part, err := e.in.ReadSlice('\n')
		if e.read += len(part); e.read > maxStream {
			return nil, errStreamTooLong
		}
		if len(e.long)+len(part) > maxLine {
			return nil, bufio.ErrTooLong
		}
		switch {
		case err == nil && len(e.long) == 0:
			return part, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(e.long)+len(part) == 0:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return nil, err
		}
		e.long = append(e.long, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return e.long, nil // an error that follows the last words comes again
		}
	}
}

// next returns the data of the next event, valid until the next call, or nil at the
// end of the stream.
func (e *events) next() ([]byte, error) {
	for {
		line, err := e.line()
		if line == nil {
			return nil, err
		}
		data, tagged := bytes.CutPrefix(line, []byte("data:"))
		if data = bytes.TrimSpace(data); len(data) > 0 && (tagged || data[0] == '{') {
			return data, nil
		}
		if fault, ok := bytes.CutPrefix(data, []byte("error:")); ok { // llama.cpp of old
			return slices.Concat([]byte(`{"error":`), fault, []byte(`}`)), nil
		}
	}
}

// piece is what matters of a chunk. Fields of reasoning are not among them. A stream
// has hundreds of them, so each is read once, by the faster of the two JSON packages.
type piece struct {
	Error   jsontext.Value `json:"error"`
	Object  jsontext.Value `json:"object"`
	Choices []struct {
		Index   int            `json:"index"`
		Delta   words          `json:"delta"`
		Message words          `json:"message"` // of a server that does not stream
		Finish  string         `json:"finish_reason"`
		Error   jsontext.Value `json:"error"`
	} `json:"choices"`
	Usage jsontext.Value `json:"usage"`
}

// lenient takes what servers send, which is not always what the rules of JSON allow.
var lenient = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// isFailure reports whether the piece is the report of one.
func (p *piece) isFailure() bool {
	return string(p.Object) == `"error"` || len(p.Error) > 0 && string(p.Error) != "null"
}

type words struct {
	Content content    `json:"content"`
	Refusal string     `json:"refusal"`
	Calls   []callPart `json:"tool_calls"`
}

// content is a text, or a list of parts of which those of type text count.
type content string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *content) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '"', 'n':
		token, err := dec.ReadToken()
		if err == nil && token.Kind() == '"' {
			*c = content(token.String())
		}
		return err
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := jsonv2.UnmarshalDecode(dec, &parts); err != nil {
		return errors.New("the content is neither text nor parts")
	}
	for _, p := range parts {
		if p.Type == "text" {
			*c += content(p.Text)
		}
	}
	return nil
}

// plainEvents takes the text out of events that have nothing else to tell, which nearly
// all are, in a tenth of the time that reading the whole object takes. Whatever looks
// different in any way is left to the careful way.
type plainEvents struct {
	// What stands before and after the text in the newest of them. Most servers repeat
	// both in every event of an answer, and then they need no second look.
	before, after []byte
}

const plainMark = `"delta":{"content":`

// text appends the text of a plain event to out.
func (p *plainEvents) text(out, data []byte) ([]byte, bool) {
	at := len(p.before)
	same := at > 0 && bytes.HasPrefix(data, p.before)
	if !same {
		at = bytes.Index(data, []byte(plainMark)) + len(plainMark)
		if at < len(plainMark) {
			return out, false
		}
	}
	end := stringEnd(data[at:])
	if end < 0 {
		return out, false
	}
	after := data[at+end:]
	if len(after) == 0 || after[0] != '}' && after[0] != ',' {
		return out, false
	}
	if !same || !bytes.Equal(after, p.after) {
		if !plain(data[:at], after) {
			return out, false
		}
		p.before, p.after = append(p.before[:0], data[:at]...), append(p.after[:0], after...)
	}
	quoted := data[at : at+end]
	if says := quoted[1 : end-1]; asItStands(says) {
		return append(out, says...), true
	}
	more, err := jsontext.AppendUnquote(out, quoted)
	if err != nil {
		return out, false
	}
	return more, true
}

// asItStands reports whether what is between the quotes of a JSON string is the string.
func asItStands(says []byte) bool {
	for _, c := range says {
		if c == '\\' || c < ' ' {
			return false
		}
	}
	return utf8.Valid(says)
}

// stringEnd is where a JSON string at the beginning of data ends, or -1.
func stringEnd(data []byte) int {
	if len(data) == 0 || data[0] != '"' {
		return -1
	}
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// plain reports whether an event, but for its text, tells of one choice that goes on.
// Quotes inside strings are escaped, so a name between quotes and before a colon is a
// name.
func plain(before, after []byte) bool {
	rest := slices.Concat(before, after)
	if rest[0] != '{' || rest[len(rest)-1] != '}' || bytes.Count(rest, []byte(`"index":`)) != 1 ||
		!bytes.Contains(rest, []byte(`"index":0`)) || !bytes.Contains(rest, []byte(`"finish_reason":null`)) ||
		bytes.Count(rest, []byte(`"content":`)) != 1 {
		return false
	}
	if bytes.Count(rest, []byte(`"tool_calls"`)) != bytes.Count(rest, []byte(`"tool_calls":null`)) {
		return false
	}
	for _, name := range [...]string{`"error"`, `"message"`, `"refusal":"`, `"usage":{`} {
		if bytes.Contains(rest, []byte(name)) {
			return false
		}
	}
	return true
}

// answer gathers what a stream said beside its text.
type answer struct {
	spoke   bool // some text that is not white space
	refused bool
	finish  string
	ended   bool // the server said [DONE]
	usage   *ports.LLMUsage
	plain   plainEvents
	calls   []gathered
	mayCall bool // tools were offered
	before  int  // calls of earlier answers of the turn
}

// take reads one event and appends its text to out.
func (a *answer) take(out, data []byte) ([]byte, error) {
	if string(data) == "[DONE]" {
		a.ended = true
		return out, nil
	}
	if more, ok := a.plain.text(out, data); ok {
		a.spoke = a.spoke || len(bytes.TrimSpace(more[len(out):])) > 0
		return more, nil
	}
	text, err := a.takeApart(data)
	return append(out, text...), err
}

// takeApart reads an event the careful way and returns its text.
func (a *answer) takeApart(data []byte) (string, error) {
	var p piece
	err := jsonv2.Unmarshal(data, &p, lenient)
	if p.isFailure() {
		return "", readFailure(data).fault(opLLM, 0, nil)
	}
	if err != nil {
		return "", transient(opLLM, "a piece of the answer is malformed")
	}
	a.count(p.Usage)
	text := ""
	for _, c := range p.Choices {
		if c.Index != 0 {
			continue
		}
		if isObject([]byte(c.Error)) {
			return "", readFailure([]byte(c.Error)).fault(opLLM, 0, nil)
		}
		text += string(c.Delta.Content + c.Message.Content)
		a.refused = a.refused || c.Delta.Refusal+c.Message.Refusal != ""
		if err := a.gather(c.Delta.Calls); err != nil {
			return text, err
		}
		if err := a.gather(c.Message.Calls); err != nil {
			return text, err
		}
		if c.Finish != "" {
			a.finish = c.Finish
		}
	}
	a.spoke = a.spoke || strings.TrimSpace(text) != ""
	return text, nil
}

// count keeps the last usage that makes sense; some servers send one with every
// piece.
func (a *answer) count(raw jsontext.Value) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	var u struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	}
	if json.Unmarshal(raw, &u) == nil && u.Prompt >= 0 && u.Completion > 0 {
		a.usage = &ports.LLMUsage{Input: u.Prompt, Output: u.Completion}
	}
}

// over reports whether nothing that matters can follow but the usage.
func (a *answer) over() bool { return a.finish != "" || a.ended }

// verdict judges an answer whose stream ended with err, which is nil for an end in
// good order.
func (a *answer) verdict(err error) error {
	switch {
	case a.finish == "content_filter":
		return &ports.Error{Op: opLLM, Kind: ports.KindBlocked, Code: a.finish, Err: errors.New("the content filter stopped the answer")}
	case a.refused:
		return &ports.Error{Op: opLLM, Kind: ports.KindBlocked, Err: errors.New("the model refused to answer")}
	case a.finish == "error":
		return transient(opLLM, "the server broke off with an error")
	case !a.over() && errors.Is(err, errStreamTooLong), !a.over() && errors.Is(err, bufio.ErrTooLong):
		return transient(opLLM, errStreamTooLong.Error())
	case !a.over():
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return httpstatus.FromDo(opLLM, err, nil)
	case a.spoke, len(a.asked()) > 0:
		return nil
	}
	reason := errors.New("the answer is empty")
	switch {
	case a.finish == "length":
		reason = errors.New("the token limit was used up before the answer began")
	case a.finish == "tool_calls", a.finish == "function_call", len(a.calls) > 0:
		reason = errAskedForTools
	}
	return &ports.Error{Op: opLLM, Kind: ports.KindUnknown, Err: reason}
}
