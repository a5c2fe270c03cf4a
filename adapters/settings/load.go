package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"whatsappnode/domain"
)

// Getenv looks a variable up and returns "" for one that is not set; os.Getenv is
// one.
type Getenv = func(name string) string

// Checker is implemented by a configuration with rules that tags cannot say, such
// as "only when this provider is chosen". Check returns Faults, one Fault, several
// joined, or any other error.
type Checker interface{ Check() error }

// maxFile bounds what is read from an X_FILE; a system prompt may be long.
const maxFile = 1 << 20

// Load fills dst, a pointer to a configuration struct, from the variables its
// tags name. It reports all faults at once as Faults; dst is then half filled and
// must not be used. If dst is a Checker it is asked as well.
func Load[T any](getenv Getenv, dst *T) error {
	vars := fieldsOf(dst)
	environment, files, faults := collect(getenv, vars)
	if err := env.ParseWithOptions(dst, env.Options{Environment: environment}); err != nil {
		if err := explain[T](err, vars, environment, &faults); err != nil {
			return err
		}
	}
	watch(reflect.ValueOf(dst).Elem(), vars, files)
	if err := validateStruct(dst, vars, &faults); err != nil {
		return err
	}
	if c, ok := any(dst).(Checker); ok {
		if err := takeFaults(c.Check(), &faults); err != nil {
			return errors.Join(faults.orNil(), err)
		}
	}
	return faults.orNil()
}

func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// collect reads every variable, from itself or from its file.
func collect(getenv Getenv, vars []Var) (environment, files map[string]string, faults Faults) {
	environment, files = map[string]string{}, map[string]string{}
	known := map[string]bool{}
	for _, v := range vars {
		known[v.Name] = true
	}
	for _, v := range vars {
		value, path := getenv(v.Name), ""
		if !known[v.FileName()] { // a variable of its own may have that name
			path = getenv(v.FileName())
		}
		switch {
		case path == "" && value != "":
			environment[v.Name] = value
		case path != "" && value != "":
			faults.add(v.Name, "and "+v.FileName()+" are both set; keep one")
		case path != "":
			text, err := readFile(path)
			if err != nil {
				// Not the path: someone may have put the secret itself there.
				faults.add(v.FileName(), fileProblem(err))
				continue
			}
			if text == "" {
				faults.add(v.FileName(), "names an empty file")
				continue
			}
			environment[v.Name], files[v.Name] = text, path
		}
	}
	return environment, files, faults
}

var errFileTooLong = errors.New("file is too long")

func readFile(path string) (string, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator's own setting names the file
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxFile {
		return "", errFileTooLong
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func fileProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "names a file that does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "names a file that may not be read"
	case errors.Is(err, errFileTooLong):
		return fmt.Sprintf("names a file of more than %s", Bytes(maxFile))
	}
	return "names a file that cannot be read"
}

// explain turns the parser's errors into faults. An error that is the program's
// own fault, such as a default that does not parse, is returned.
func explain[T any](err error, vars []Var, environment map[string]string, faults *Faults) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return fmt.Errorf("settings: %w", err)
	}
	unread := false
	for _, each := range all.Errors {
		var notSet env.VarIsNotSetError
		var empty env.EmptyVarError
		var parse env.ParseError
		switch {
		case errors.As(each, &notSet):
			required(notSet.Key, faults)
		case errors.As(each, &empty):
			required(empty.Key, faults)
		case errors.As(each, &parse):
			unread = true
		default:
			return fmt.Errorf("settings: %w", each)
		}
	}
	if !unread {
		return nil
	}
	// The parser names the Go field only, and several structs may have a field of
	// that name. Reading each variable alone tells which one it is.
	if fields := parseErrors[T](nil); len(fields) > 0 {
		return fmt.Errorf("settings: the program's own default of %s cannot be parsed", strings.Join(fields, ", "))
	}
	for _, v := range vars {
		if value, ok := environment[v.Name]; ok && len(parseErrors[T](map[string]string{v.Name: value})) > 0 {
			faults.add(v.Name, mustBe(v, value))
		}
	}
	return nil
}

func required(name string, faults *Faults) {
	if !faults.has(name + fileSuffix) {
		faults.add(name, "is required")
	}
}

// parseErrors names the fields that cannot be parsed, with nothing else set.
func parseErrors[T any](environment map[string]string) []string {
	if environment == nil {
		environment = map[string]string{}
	}
	var all env.AggregateError
	if !errors.As(env.ParseWithOptions(new(T), env.Options{Environment: environment}), &all) {
		return nil
	}
	var fields []string
	for _, each := range all.Errors {
		if parse, ok := errors.AsType[env.ParseError](each); ok {
			fields = append(fields, parse.Name)
		}
	}
	return fields
}

// mustBe says what a value of the variable looks like.
func mustBe(v Var, value string) string {
	switch v.Type {
	case "duration":
		if _, err := time.ParseDuration(value + "s"); err == nil {
			return `lacks its unit: a duration carries its unit, such as "30s"`
		}
		return `is not a duration such as "30s" or "2m30s"`
	case "size":
		_, err := ParseBytes(value)
		return "is not understood: " + err.Error()
	case "yes/no":
		return "must be true or false"
	case "number":
		typ := v.goTyp
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if k := typ.Kind(); k == reflect.Float32 || k == reflect.Float64 {
			return "must be a number"
		}
		return "must be a whole number"
	}
	if v.goTyp == reflect.TypeFor[domain.Money]() {
		return domain.ErrMoney.Error()
	}
	return "cannot be read as " + v.goTyp.String()
}

// takeFaults adds the faults of a Checker and returns what is none.
func takeFaults(err error, faults *Faults) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *Fault:
		faults.add(e.Var, e.Problem)
		return nil
	case interface{ Unwrap() []error }:
		var rest []error
		for _, each := range e.Unwrap() {
			rest = append(rest, takeFaults(each, faults))
		}
		return errors.Join(rest...)
	}
	return err
}

// watch tells each Source that came from a file where the file is.
func watch(root reflect.Value, vars []Var, files map[string]string) {
	for _, v := range vars {
		if path, ok := files[v.Name]; ok && v.goTyp == sourceType {
			root.FieldByIndex(v.path).Addr().Interface().(*Source).watch(path)
		}
	}
}
