package porttest_test

import (
	"strings"
	"testing"

	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// filterFunc is a filter of one function.
type filterFunc func(text, language string) (string, []string)

func (f filterFunc) Filter(text, language string) (string, []string) { return f(text, language) }

// mild masks the word "darn", as it should be.
func mild(text, language string) (string, []string) {
	if language != "" && language != "en" {
		return text, nil
	}
	var found []string
	for range strings.Count(text, "darn") {
		found = append(found, "mild")
	}
	return strings.ReplaceAll(text, "darn", "d***"), found
}

func TestFilterAcceptsAGoodFilter(t *testing.T) {
	porttest.TestFilter(t, mildHarness(mild))
}

func mildHarness(f filterFunc) porttest.FilterHarness {
	return porttest.FilterHarness{
		New: func(*testing.T) ports.FilterPort { return f },
		Hit: "Oh darn it", Bad: "darn", Language: "en", Finds: "mild", Fine: "All is well.",
	}
}

var brokenFilters = map[string]filterFunc{
	"does nothing": func(text, _ string) (string, []string) { return text, nil },
	"trims":        func(text, l string) (string, []string) { got, f := mild(text, l); return strings.TrimSpace(got), f },
	"marks what it did": func(text, l string) (string, []string) {
		got, f := mild(text, l)
		return got + strings.Repeat("!", min(1, strings.Count(got, "d***"))), f
	},
	"counts once": func(text, l string) (string, []string) { got, f := mild(text, l); return got, f[:min(1, len(f))] },
	"only in English": func(text, l string) (string, []string) {
		if l != "en" {
			return text, nil
		}
		return mild(text, l)
	},
	"tells what it found": func(text, l string) (string, []string) {
		got, f := mild(text, l)
		for i := range f {
			f[i] = "darn"
		}
		return got, f
	},
	"cuts a letter": func(text, l string) (string, []string) {
		got, f := mild(text, l)
		if strings.Contains(got, "日") {
			got = got[1:]
		}
		return got, f
	},
}

func TestFilterRejectsBrokenFilters(t *testing.T) {
	rejects(t, map[string]string{
		"does nothing": "ChangesWhatItIsFor", "trims": "LeavesTheRestAlone", "marks what it did": "TwiceIsOnce", "counts once": "CountsEachPlace",
		"only in English": "UnknownLanguageIsLookedAtInAll", "tells what it found": "NamesHoldNothingOfTheText", "cuts a letter": "AnswersInUTF8",
		"forgets under load": "ManyAtOnce",
	}, func(t *testing.T, name string) {
		f := brokenFilters[name]
		if name == "forgets under load" {
			calls := 0
			f = func(text, l string) (string, []string) {
				if calls++; calls > 40 {
					return text, nil
				}
				return mild(text, l)
			}
		}
		porttest.TestFilter(t, mildHarness(f))
	})
}
