package mcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"whatsappnode/adapters/settings"
)

// entry is a server as the file writes it.
type entry struct {
	line        int
	Name        string            `yaml:"name"`
	Command     []string          `yaml:"command"`
	Env         map[string]string `yaml:"env"`
	EnvFrom     map[string]string `yaml:"env_from"`
	Dir         string            `yaml:"dir"`
	URL         string            `yaml:"url"`
	Headers     map[string]string `yaml:"headers"`
	HeadersFrom map[string]string `yaml:"headers_from"`
	Timeout     string            `yaml:"timeout"`
	MaxResult   string            `yaml:"max_result"`
}

// UnmarshalYAML implements yaml.Unmarshaler, to learn where the server begins.
func (e *entry) UnmarshalYAML(n *yaml.Node) error {
	type plain entry
	known := []string{"name", "command", "env", "env_from", "dir", "url", "headers", "headers_from", "timeout", "max_result"}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if !slices.Contains(known, n.Content[i].Value) { // a decoder's own check does not reach here
			return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s is not known here; known are %s", n.Content[i].Line, n.Content[i].Value, strings.Join(known, ", "))}}
		}
	}
	if err := n.Decode((*plain)(e)); err != nil {
		return err
	}
	e.line = n.Line
	return nil
}

// maxFile bounds the file; a hundred servers fit.
const maxFile = 1 << 20

// Load reads the file that names the servers. Find gives the value of a variable that
// holds a secret, which is asked for each time it is needed. The error joins all faults,
// each with its line and without values of the file.
func Load(path string, find func(variable string) (func() string, error)) ([]Server, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parse(data, find)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("names a file that does not exist")
	case err != nil:
		return nil, errors.New("names a file that cannot be opened")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(data) > maxFile {
		return nil, errors.New("names a file that cannot be read, or is larger than 1 MiB")
	}
	return data, nil
}

func parse(data []byte, find func(string) (func() string, error)) ([]Server, error) {
	var written struct {
		Servers []entry `yaml:"servers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&written); err != nil && !errors.Is(err, io.EOF) {
		return nil, plainly(err)
	}
	if len(written.Servers) == 0 {
		return nil, errors.New("line 1: there is no server; the file needs the key servers with at least one")
	}
	var out []Server
	var faults []error
	names := map[string]bool{}
	for _, e := range written.Servers {
		s, wrong := e.server(find)
		if _, more := s.complete(); len(more) > 0 {
			wrong = append(wrong, more...)
		}
		if names[e.Name] {
			wrong = append(wrong, errors.New("name is that of another server"))
		}
		names[e.Name] = true
		for _, f := range wrong {
			faults = append(faults, fmt.Errorf("line %d: %w", e.line, f))
		}
		out = append(out, s)
	}
	return out, errors.Join(faults...)
}

// server is the entry with its secrets found.
func (e entry) server(find func(string) (func() string, error)) (Server, []error) {
	s := Server{Name: e.Name, Command: e.Command, Dir: e.Dir, URL: e.URL, Secret: len(e.HeadersFrom) > 0}
	var faults []error
	resolve := func(key string, plain, from map[string]string) map[string]func() string {
		out := map[string]func() string{}
		for _, name := range slices.Sorted(maps.Keys(plain)) {
			out[name] = func() string { return plain[name] }
		}
		for _, name := range slices.Sorted(maps.Keys(from)) {
			if _, both := out[name]; both {
				faults = append(faults, fmt.Errorf("%s and %s_from give the same", key, key))
			}
			value, err := find(from[name])
			if err != nil {
				faults = append(faults, fmt.Errorf("%s_from cannot be used: %w", key, err))
				continue
			}
			out[name] = value
		}
		return out
	}
	s.Env, s.Headers = resolve("env", e.Env, e.EnvFrom), resolve("headers", e.Headers, e.HeadersFrom)
	var err error
	if e.Timeout != "" {
		if s.Timeout, err = time.ParseDuration(e.Timeout); err != nil || s.Timeout <= 0 {
			faults, s.Timeout = append(faults, errors.New("timeout must be a duration with its unit, such as 10s")), 0
		}
	}
	if e.MaxResult != "" {
		size, err := settings.ParseBytes(e.MaxResult)
		if err != nil || size <= 0 || size > MaxMaxResult {
			faults, size = append(faults, fmt.Errorf("max_result must be a size with its unit, such as 8KiB, of at most %dKiB", MaxMaxResult>>10)), 0
		}
		s.MaxResult = int(size)
	}
	return s, faults
}

var inLine = regexp.MustCompile(`line ([0-9]+): `)

// plainly says where the file is not what it should be, and not what stands there,
// unless it is a key.
func plainly(err error) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		line := 1
		if m := inLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		return fmt.Errorf("line %d: this is no YAML", line)
	}
	var faults []error
	for _, each := range wrong.Errors {
		at := "line 1: "
		if m := inLine.FindString(each); m != "" {
			at = m
		}
		switch {
		case strings.Contains(each, "is not known here"):
			faults = append(faults, errors.New(each))
		case strings.Contains(each, "not found in type"):
			faults = append(faults, errors.New(at+"the file has one key, servers"))
		default:
			faults = append(faults, errors.New(at+"something of another kind belongs here"))
		}
	}
	return errors.Join(faults...)
}
