package domain

import (
	"slices"
	"strings"
)

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

// sameLanguage maps a code to another under which the same language is known:
// withdrawn codes, and members of a macrolanguage that engines name in its place
// (IANA Language Subtag Registry). Both sides of a comparison are mapped.
var sameLanguage = map[string]string{
	"iw": "he", "in": "id", "ji": "yi", "mo": "ro", "tl": "fil",
	"cmn": "zh", "arb": "ar", "nb": "no", "nn": "no", "swh": "sw", "zsm": "ms", "pes": "fa", "lvs": "lv", "ekk": "et",
}

// CleanLanguage writes a BCP 47 tag in its usual spelling, "es-MX" for "ES_mx". It
// reports false for what names no language: text that is no tag, and the codes for
// an undetermined language, several languages and no language at all.
func CleanLanguage(tag string) (string, bool) {
	parts := strings.Split(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"), "-")
	for i, p := range parts {
		p = strings.ToLower(p)
		if len(p) < 1 || len(p) > 8 || strings.Trim(p, letters+digits) != "" {
			return "", false
		}
		switch {
		case i == 0 && (len(p) < 2 || len(p) > 3 || strings.ContainsAny(p, digits)):
			return "", false
		case i > 0 && len(p) == 2 && len(parts[i-1]) > 1:
			p = strings.ToUpper(p) // a region
		case i > 0 && len(p) == 4 && !strings.ContainsAny(p[:1], digits):
			p = strings.ToUpper(p[:1]) + p[1:] // a script
		}
		parts[i] = p
	}
	switch parts[0] {
	case "und", "mul", "zxx", "mis":
		return "", false
	}
	return strings.Join(parts, "-"), true
}

// Languages are BCP 47 tags, the likeliest first.
type Languages []string

// Nearest gives the tag of the list, as it is written there, that comes nearest to
// the given one: the same; else the longest one that covers it, as "es" covers
// "es-MX"; else the first that is more special, as "es-MX" is than "es"; else the
// first of the same language, as "en-US" is for "en-GB". It reports false when no
// tag of the list is of that language.
func (l Languages) Nearest(tag string) (string, bool) {
	want, ok := subtags(tag)
	if !ok {
		return "", false
	}
	best, at := 0, -1
	for i, candidate := range l {
		have, ok := subtags(candidate)
		if !ok || have[0] != want[0] {
			continue
		}
		common := 0
		for common < min(len(have), len(want)) && have[common] == want[common] {
			common++
		}
		score := 1
		switch {
		case common == len(have): // covers it, and is the same when nothing is left
			score = 2 + common
		case common == len(want):
			score = 2
		}
		if score > best {
			best, at = score, i
		}
	}
	if at < 0 {
		return "", false
	}
	return l[at], true
}

// Allow decides whether a language that was detected is one of the list, and gives
// the tag to go on with: the detected one where the list covers it, else the
// nearest of the list, since engines are poor at telling regions apart. An empty
// list allows every language.
func (l Languages) Allow(detected string) (string, bool) {
	clean, ok := CleanLanguage(detected)
	if !ok || len(l) == 0 {
		return clean, ok
	}
	nearest, ok := l.Nearest(clean)
	if !ok {
		return "", false
	}
	have, _ := subtags(nearest)
	want, _ := subtags(clean)
	if len(have) <= len(want) && slices.Equal(have, want[:len(have)]) {
		return clean, true
	}
	return nearest, true
}

// First is the likeliest language, or empty.
func (l Languages) First() string {
	if len(l) == 0 {
		return ""
	}
	return l[0]
}

// Led gives the list with the tag nearest to the given one in front.
func (l Languages) Led(tag string) Languages {
	first, ok := l.Nearest(tag)
	if !ok {
		return l
	}
	out := Languages{first}
	for _, each := range l {
		if each != first {
			out = append(out, each)
		}
	}
	return out
}

// subtags splits a tag for comparison.
func subtags(tag string) ([]string, bool) {
	clean, ok := CleanLanguage(tag)
	if !ok {
		return nil, false
	}
	parts := strings.Split(strings.ToLower(clean), "-")
	if same, ok := sameLanguage[parts[0]]; ok {
		parts[0] = same
	}
	return parts, true
}
