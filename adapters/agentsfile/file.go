package agentsfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"whatsappnode/domain"
)

// File is the file, laid open.
type File struct {
	Agents []Agent // in the order of the file; at least one
}

// Agent is what the file says of one business number.
type Agent struct {
	Line int // where it begins
	// Number is the business number, Name what the operator calls it.
	Number domain.NumberID
	Name   string
	// The variables that hold the secrets; not given where the ones of the
	// environment hold.
	AccessTokenFrom, AppSecretFrom, VerifyTokenFrom Value
	// Voices are names of voices by BCP 47 tag.
	Voices map[string]string
	// Settings are the given values by the environment variable they stand for.
	Settings map[string]Value
}

// Value is a text of the file with its place.
type Value struct {
	Text string // empty: left out, or not usable, which is a fault
	Key  string // with those above it, "limits.turn_timeout"
	Line int    // 0: left out
}

// Fault is what is wrong in a line. Its text holds keys of the file and no values.
type Fault struct {
	Line    int
	Problem string
}

// Error reads "line 12: problem".
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Problem) }

// maxFile bounds the file; a thousand numbers with long prompts fit.
const maxFile = 4 << 20

// Load reads the file at path. The error is a reason why it cannot be read, without
// the path, or joins all faults as that of Parse.
func Load(path string) (File, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator's own setting names the file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return File{}, errors.New("names a file that does not exist")
	case errors.Is(err, fs.ErrPermission):
		return File{}, errors.New("names a file that may not be read")
	case err != nil:
		return File{}, errors.New("names a file that cannot be opened")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return File{}, errors.New("names a file that cannot be read")
	case len(data) > maxFile:
		return File{}, errors.New("names a file of more than 4 MiB")
	}
	return Parse(data)
}

// Parse reads the file's content. The error joins all faults, each a *Fault, in the
// order of their lines. What could be read is there beside it, so that a caller with
// rules of its own can list everything at once; it must not be used otherwise.
func Parse(data []byte) (File, error) {
	r := reader{}
	written := r.decode(data)
	out := r.agents(written, r.itemLines(data))
	if len(r.faults) == 0 {
		return out, nil
	}
	slices.SortStableFunc(r.faults, func(a, b *Fault) int { return cmp.Compare(a.Line, b.Line) })
	all := make([]error, len(r.faults))
	for i, f := range r.faults {
		all[i] = f
	}
	return out, errors.Join(all...)
}

// reader collects faults and goes on.
type reader struct{ faults []*Fault }

func (r *reader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, &Fault{Line: max(line, 1), Problem: fmt.Sprintf(format, args...)})
}

func (r *reader) decode(data []byte) file {
	var written file
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&written)
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return file{} // which says that there is no agent
	case errors.As(err, &wrong):
		for _, each := range wrong.Errors {
			r.translate(each)
		}
	case err != nil:
		r.translate(strings.TrimPrefix(err.Error(), "yaml: "))
		return written
	}
	var next yaml.Node
	if err := dec.Decode(&next); err == nil {
		r.fault(next.Line, "a second document begins here; the file is one")
	}
	return written
}

// The parser's messages: a key it does not know, a value of another shape, and
// others, which hold no values.
var (
	inLine     = regexp.MustCompile(`(?s)^line (\d+): (.*)$`)
	unknownKey = regexp.MustCompile(`(?s)^field (.*) not found in type agentsfile\.(\w+)$`)
	wrongShape = regexp.MustCompile(`(?s)^cannot unmarshal .* into (\S+)$`)
)

// translate says a message of the parser in words that need no knowledge of it, and
// without the value it may quote.
func (r *reader) translate(message string) {
	line := 0
	if m := inLine.FindStringSubmatch(message); m != nil {
		_, _ = fmt.Sscan(m[1], &line)
		message = m[2]
	}
	if m := unknownKey.FindStringSubmatch(message); m != nil {
		r.fault(line, "%s is not known here; %s", m[1], hint(m[1], m[2]))
		return
	}
	if m := wrongShape.FindStringSubmatch(message); m != nil {
		if strings.HasPrefix(m[1], "[]") {
			r.fault(line, "a list belongs here")
		} else {
			r.fault(line, "keys with values belong here")
		}
		return
	}
	r.fault(line, "%s", message)
}

// hint tells where a key belongs that was found in the wrong place, else which keys
// the place knows.
func hint(key, place string) string {
	for _, k := range Keys() {
		if strings.HasSuffix("."+k.Path, "."+key) {
			return "an agent has it as " + k.Path
		}
	}
	types := map[string]reflect.Type{
		"file": reflect.TypeFor[file](), "agent": reflect.TypeFor[agent](), "vendors": reflect.TypeFor[vendors](), "limits": reflect.TypeFor[limits](),
	}
	var known []string
	for i := range types[place].NumField() {
		known = append(known, types[place].Field(i).Tag.Get("yaml"))
	}
	return "known are " + strings.Join(known, ", ")
}

// itemLines are the lines in which the agents begin. An item with nothing in it, as a
// dash that was left behind, is passed over by the parser and named here.
func (r *reader) itemLines(data []byte) []int {
	var root yaml.Node
	if yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 {
		return nil
	}
	top := root.Content[0].Content
	var lines []int
	for i := 0; i+1 < len(top); i += 2 {
		if top[i].Value != "agents" {
			continue
		}
		for _, item := range top[i+1].Content {
			switch {
			case item.Kind == yaml.ScalarNode && item.ShortTag() == "!!null":
				r.fault(item.Line, "an agent with nothing in it")
			default:
				lines = append(lines, item.Line)
			}
		}
	}
	return lines
}
