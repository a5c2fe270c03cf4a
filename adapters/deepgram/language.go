package deepgram

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// primary is the language of a BCP 47 tag in its shortest form: "es" of "spa" and
// of "es-MX". It is empty for what names no language.
func primary(tag string) string {
	t, err := language.All.Parse(tag)
	if err != nil {
		return ""
	}
	base, _, _ := t.Raw()
	switch s := base.String(); s {
	case "und", "mis", "mul", "zxx": // undetermined, uncoded, several, none
		return ""
	default:
		return s
	}
}

func canonical(tag string) string {
	t, err := language.All.Parse(tag)
	if err != nil {
		return ""
	}
	return t.String()
}

// among returns the first of the tags that is in the language of code, or else the
// language itself, or empty for a code that names none.
func among(tags []string, code string) string {
	want := primary(code)
	for _, tag := range tags {
		if want != "" && primary(tag) == want {
			return tag
		}
	}
	return want
}

// regional are the tags with a region or a script that Nova-3 lists ("Models &
// Languages Overview" and the changelog). Of any other the language alone is sent.
var regional = map[string]bool{
	"en-AU": true, "en-GB": true, "en-IN": true, "en-NZ": true, "en-US": true, "es-419": true, "fr-CA": true, "de-CH": true,
	"nl-BE": true, "pt-BR": true, "pt-PT": true, "zh-CN": true, "zh-Hans": true, "zh-TW": true, "zh-Hant": true,
}

// spokenName is what Deepgram calls the language of a tag when it is to be heard.
func spokenName(tag string) string {
	if c := canonical(tag); regional[c] {
		return c
	}
	return primary(tag)
}

// detectable are the languages that detection may be restricted to ("Language
// Detection").
var detectable = strings.Fields("bg ca cs da de el en es et fi fr hi hu id it ja ko lt lv ms nl no pl pt ro ru sk sv th tr uk vi zh")

// candidates are the values of detect_language: the allowed languages, or "true",
// which is every language, where one of them could not be detected.
func candidates(allowed []string) []string {
	var names []string
	for _, tag := range allowed {
		name := primary(tag)
		if name == "nb" || name == "nn" {
			name = "no" // Deepgram knows one Norwegian
		}
		if !slices.Contains(detectable, name) {
			return []string{"true"}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{"true"}
	}
	return names
}

// known are voices for the languages of Aura-2 ("Voices and Languages").
var known = map[string]string{
	"de": "aura-2-aurelia-de", "en": DefaultTTSModel, "es": "aura-2-celeste-es", "fr": "aura-2-agathe-fr",
	"it": "aura-2-cinzia-it", "ja": "aura-2-ama-ja", "nl": "aura-2-beatrix-nl",
}

// casting finds the voice for a language.
type casting struct {
	exact, base map[string]string
	model       string
}

func newCasting(voices map[string]string, model string) casting {
	c := casting{exact: map[string]string{}, base: maps.Clone(known), model: model}
	c.base[primary(model[strings.LastIndex(model, "-")+1:])] = model
	configured := map[string]bool{}
	for _, tag := range slices.Sorted(maps.Keys(voices)) {
		c.exact[canonical(tag)] = voices[tag]
		// "es" comes before "es-MX", and is what other kinds of Spanish get.
		if b := primary(tag); !configured[b] {
			c.base[b], configured[b] = voices[tag], true
		}
	}
	return c
}

// voice is the one for the tag itself or for its language, the model for no tag, and
// empty for a language that no voice speaks.
func (c casting) voice(tag string) string {
	if tag == "" {
		return c.model
	}
	if v, ok := c.exact[canonical(tag)]; ok {
		return v
	}
	if b := primary(tag); b != "" {
		return c.base[b]
	}
	return ""
}
