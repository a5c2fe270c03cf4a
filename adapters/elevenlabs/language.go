package elevenlabs

import (
	"maps"
	"slices"

	"golang.org/x/text/language"
)

// primary is the language of a BCP 47 tag or an ISO 639 code in the shortest form
// BCP 47 has for it: "es" of "spa" and of "es-MX". It is false for what names no
// language. ElevenLabs takes both lengths, and answers with the long one.
func primary(tag string) (string, bool) {
	t, err := language.All.Parse(tag)
	if err != nil {
		return "", false
	}
	base, _, _ := t.Raw()
	switch s := base.String(); s {
	case "und", "mis", "mul", "zxx": // undetermined, uncoded, several, none
		return "", false
	default:
		return s, true
	}
}

// among returns the first of the tags that is in the language of code, or else the
// language itself, or empty for a code that names none.
func among(tags []string, code string) string {
	want, ok := primary(code)
	if !ok {
		return ""
	}
	for _, tag := range tags {
		if have, ok := primary(tag); ok && have == want {
			return tag
		}
	}
	return want
}

// casting finds the voice for a language.
type casting struct {
	exact, base map[string]string
	other       string
}

func newCasting(voices map[string]string, other string) casting {
	c := casting{exact: map[string]string{}, base: map[string]string{}, other: other}
	for _, tag := range slices.Sorted(maps.Keys(voices)) {
		c.exact[canonical(tag)] = voices[tag]
		base, _ := primary(tag)
		// "es" comes before "es-MX", and is what other kinds of Spanish get.
		if _, taken := c.base[base]; !taken {
			c.base[base] = voices[tag]
		}
	}
	return c
}

// voice is the one for the tag itself, or for its language, or the one for all.
func (c casting) voice(tag string) string {
	if v, ok := c.exact[canonical(tag)]; ok {
		return v
	}
	if base, ok := primary(tag); ok {
		if v, ok := c.base[base]; ok {
			return v
		}
	}
	return c.other
}

func canonical(tag string) string {
	t, err := language.All.Parse(tag)
	if err != nil {
		return ""
	}
	return t.String()
}
