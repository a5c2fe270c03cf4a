package settings

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
)

// rules is the validator with this package's own rules:
//
//	minsize=1KiB, maxsize=16MiB  bounds of a Bytes
//	listen                       "host:port" to listen on; the host may be missing
//	                             and the port may be 0
//
// The validator caches what it learns of a struct type and may be used
// concurrently.
var rules = newRules()

func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	for tag, f := range map[string]validator.Func{
		"minsize": func(fl validator.FieldLevel) bool { return fl.Field().Int() >= size(fl.Param()) },
		"maxsize": func(fl validator.FieldLevel) bool { return fl.Field().Int() <= size(fl.Param()) },
		"listen":  func(fl validator.FieldLevel) bool { return isListen(fl.Field().String()) },
	} {
		if err := v.RegisterValidation(tag, f); err != nil {
			panic(err) // the table above is wrong
		}
	}
	return v
}

func size(text string) int64 {
	n, err := ParseBytes(text)
	if err != nil {
		panic(fmt.Sprintf("settings: bad size %q in a validate tag", text))
	}
	return int64(n)
}

func isListen(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

var index = regexp.MustCompile(`\[[^\]]*\]`)

// validateStruct checks the validate tags and names the variables at fault.
func validateStruct(dst any, vars []Var, faults *Faults) error {
	var broken validator.ValidationErrors
	switch err := rules.Struct(dst); {
	case err == nil:
		return nil
	case !errors.As(err, &broken):
		return fmt.Errorf("settings: %w", err)
	}
	byField := make(map[string]Var, len(vars))
	for _, v := range vars {
		byField[v.field] = v
	}
	for _, b := range broken {
		field := index.ReplaceAllString(b.StructNamespace(), "")
		if reflect.TypeOf(dst).Elem().Name() != "" {
			_, field, _ = strings.Cut(field, ".") // the root's own name
		}
		v, ok := byField[field]
		if !ok {
			return fmt.Errorf("settings: field %s breaks the rule %q and has no variable", b.StructNamespace(), b.Tag())
		}
		if faults.has(v.FileName()) {
			continue
		}
		text := ruleText(b.Tag(), b.Param(), b.Type())
		if b.Tag() != "required" {
			text = "must be " + text
		}
		faults.add(v.Name, text)
	}
	return nil
}

// ruleText says a rule in words that follow "must be".
func ruleText(tag, param string, t reflect.Type) string {
	counted := ""
	if t != nil && t != durationType {
		switch t.Kind() {
		case reflect.String:
			counted = " characters long"
		case reflect.Slice, reflect.Map:
			counted = " items long"
		}
	}
	if n, err := strconv.ParseInt(param, 10, 64); err == nil && t == bytesType {
		param = Bytes(n).String()
	}
	switch tag {
	case "", "omitempty", "omitzero":
		return ""
	case "required":
		return "is required"
	case "min", "gte", "minsize":
		return "at least " + param + counted
	case "max", "lte", "maxsize":
		return "at most " + param + counted
	case "gt":
		return "above " + param + counted
	case "lt":
		return "below " + param + counted
	case "len":
		return "exactly " + param + counted
	case "oneof":
		return "one of " + strings.Join(strings.Fields(param), ", ")
	case "url", "http_url", "uri":
		return "a URL"
	case "listen|eq=off":
		return `an address such as "127.0.0.1:8080", or off`
	case "listen", "hostname_port":
		return `an address such as "127.0.0.1:8080"`
	case "hostname", "hostname_rfc1123", "fqdn":
		return "a host name"
	case "numeric", "number":
		return "digits only"
	}
	if param != "" {
		return "such that " + tag + "=" + param
	}
	return "a valid " + strings.ReplaceAll(tag, "_", " ")
}
