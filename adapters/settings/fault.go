package settings

import (
	"slices"
	"strings"
)

// Fault is what is wrong with one variable. Its text never holds the value.
type Fault struct {
	Var     string
	Problem string
}

// Error reads "NAME problem".
func (f *Fault) Error() string { return f.Var + " " + f.Problem }

// Faults are all faults that were found, at most one a variable.
type Faults []*Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("configuration:")
	for _, each := range f {
		b.WriteString("\n  ")
		b.WriteString(each.Error())
	}
	return b.String()
}

// Unwrap gives the faults to errors.Is and errors.As.
func (f Faults) Unwrap() []error {
	out := make([]error, len(f))
	for i, each := range f {
		out[i] = each
	}
	return out
}

// has reports whether a fault of the variable is known already. The first one
// found is nearest to the cause; later ones only follow from it.
func (f Faults) has(name string) bool {
	return slices.ContainsFunc(f, func(each *Fault) bool { return each.Var == name })
}

func (f *Faults) add(name, problem string) {
	if !f.has(name) {
		*f = append(*f, &Fault{Var: name, Problem: problem})
	}
}
