package settings

import (
	"slices"
	"strings"
)

// Stranger is a variable that looks like a setting and is none.
type Stranger struct {
	Name string
	// Meant is the setting it resembles, or empty.
	Meant string
}

// String reads "NAME is not a setting; did you mean OTHER?".
func (s Stranger) String() string {
	if s.Meant == "" {
		return s.Name + " is not a setting"
	}
	return s.Name + " is not a setting; did you mean " + s.Meant + "?"
}

// Unknown finds variables of environ ("NAME=value", as os.Environ gives them) that
// begin with one of the prefixes, in any case, and are not known. The result is
// sorted by name and holds no values.
func Unknown(environ []string, known []Var, prefixes []string) []Stranger {
	names := map[string]bool{}
	for _, v := range known {
		names[v.Name], names[v.FileName()] = true, true
	}
	var out []Stranger
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		upper := strings.ToUpper(name)
		ours := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(upper, p) })
		if !ours || names[name] {
			continue
		}
		out = append(out, Stranger{Name: name, Meant: nearest(upper, names)})
	}
	slices.SortFunc(out, func(a, b Stranger) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// nearest is the name with the fewest edits, if they are few for its length.
func nearest(name string, names map[string]bool) string {
	best, meant := max(2, len(name)/5)+1, ""
	for candidate := range names {
		d := edits(name, candidate)
		if d < best || (d == best && meant != "" && candidate < meant) {
			best, meant = d, candidate
		}
	}
	return meant
}

// edits is the Levenshtein distance of two names.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
