package settings

import "reflect"

// Held is a secret that a configuration holds.
type Held struct {
	Var string
	// Current gives the value in force, more than one of a list; none when it is empty.
	Current func() []string
}

// HeldSecrets lists the secrets of a loaded configuration struct, given by value or by
// pointer, that are set. A Source that follows its file is asked anew each time.
func HeldSecrets(config any) []Held {
	root := reflect.ValueOf(config)
	for root.Kind() == reflect.Pointer {
		root = root.Elem()
	}
	var out []Held
	for _, v := range fieldsOf(config) {
		if !v.Secret {
			continue
		}
		var current func() []string
		switch value := root.FieldByIndex(v.path).Interface().(type) {
		case Secret:
			current = func() []string { return split(value.Reveal()) }
		case Secrets:
			current = func() []string { return reveal(value) }
		case Source:
			current = func() []string { return reveal(value.Secrets()) }
		default:
			continue
		}
		if len(current()) > 0 {
			out = append(out, Held{Var: v.Name, Current: current})
		}
	}
	return out
}

func reveal(all Secrets) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.Reveal()
	}
	return out
}
