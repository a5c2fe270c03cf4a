package settings

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Var is one variable of a configuration.
type Var struct {
	// Name is the whole name with all prefixes.
	Name string
	// Type is for readers: "text", "secret", "list", "duration", "size", "number",
	// "yes/no".
	Type string
	// Default is the text used when the variable is not set.
	Default  string
	Required bool
	Secret   bool
	// Rule says in words what a value must fulfil, or is empty.
	Rule string
	// Doc is the field's doc tag.
	Doc string

	path  []int  // field indexes from the root
	field string // path of field names from the root, without the root's own
	goTyp reflect.Type
}

// FileName is the variable that names a file with the value instead.
func (v Var) FileName() string { return v.Name + fileSuffix }

const fileSuffix = "_FILE"

var (
	secretType      = reflect.TypeFor[Secret]()
	secretsType     = reflect.TypeFor[Secrets]()
	sourceType      = reflect.TypeFor[Source]()
	bytesType       = reflect.TypeFor[Bytes]()
	durationType    = reflect.TypeFor[time.Duration]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Describe lists the variables of a configuration struct, given by value or by
// pointer, in the order of its fields. Several fields may read one variable; it is
// listed once, as its first field has it, and required if any of them requires it.
// Describe panics for anything but a struct, a fault of the program.
func Describe(config any) []Var {
	var out []Var
	at := map[string]int{}
	for _, v := range fieldsOf(config) {
		if i, ok := at[v.Name]; ok {
			out[i].Required = out[i].Required || v.Required
			out[i].Secret = out[i].Secret || v.Secret
			continue
		}
		at[v.Name] = len(out)
		out = append(out, v)
	}
	return out
}

// fieldsOf lists every field that reads a variable.
func fieldsOf(config any) []Var {
	t := reflect.TypeOf(config)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("settings: %T is not a struct", config))
	}
	return walk(t, "", "", nil)
}

func walk(t reflect.Type, prefix, field string, path []int) []Var {
	var out []Var
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		at := append(slices.Clone(path), i)
		name, options, _ := strings.Cut(f.Tag.Get("env"), ",")
		switch {
		case name == "-":
		case name != "":
			out = append(out, newVar(f, prefix+name, options, field+f.Name, at))
		case f.Type.Kind() == reflect.Struct:
			out = append(out, walk(f.Type, prefix+f.Tag.Get("envPrefix"), field+f.Name+".", at)...)
		}
	}
	return out
}

func newVar(f reflect.StructField, name, options, field string, path []int) Var {
	def, hasDefault := f.Tag.Lookup("envDefault")
	rules := strings.Split(f.Tag.Get("validate"), ",")
	v := Var{
		Name: name, Type: typeName(f.Type), Default: def, Doc: f.Tag.Get("doc"),
		Secret: f.Type == secretType || f.Type == secretsType || f.Type == sourceType || f.Tag.Get("secret") == "true",
		field:  field, path: path, goTyp: f.Type,
	}
	asked := strings.Split(options, ",")
	v.Required = !hasDefault && (slices.Contains(asked, "required") || slices.Contains(asked, "notEmpty") || slices.Contains(rules, "required"))
	var words []string
	subject := f.Type
	for _, rule := range rules {
		tag, param, _ := strings.Cut(rule, "=")
		if tag == "dive" {
			words = append(words, "each item:")
			if subject.Kind() == reflect.Slice {
				subject = subject.Elem()
			}
			continue
		}
		if w := ruleText(tag, param, subject); w != "" && tag != "required" {
			words = append(words, w)
		}
	}
	v.Rule = strings.Replace(strings.Join(words, ", "), ":,", ":", 1)
	return v
}

func typeName(t reflect.Type) string {
	switch {
	case t == secretType, t == secretsType, t == sourceType:
		return "secret"
	case t == bytesType:
		return "size"
	case t == durationType:
		return "duration"
	case t.Kind() == reflect.Pointer && !t.Implements(unmarshalerType):
		return typeName(t.Elem())
	}
	switch t.Kind() {
	case reflect.Bool:
		return "yes/no"
	case reflect.Slice:
		return "list"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		if t.Implements(unmarshalerType) || reflect.PointerTo(t).Implements(unmarshalerType) {
			return "text"
		}
		return "number"
	}
	return "text"
}
