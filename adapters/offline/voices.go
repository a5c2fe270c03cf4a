package offline

import (
	"slices"
	"strings"
)

// espeakVoices are the voices of espeak-ng 1.51 that go by another name than their
// language's BCP 47 tag, or that tell regions apart.
var espeakVoices = map[string]string{
	"en":         "en-us",
	"en-au":      "en-gb",
	"en-gb":      "en-gb",
	"en-ie":      "en-gb",
	"en-in":      "en-gb",
	"en-nz":      "en-gb",
	"en-us":      "en-us",
	"en-za":      "en-gb",
	"es-419":     "es-419",
	"es-es":      "es",
	"fr":         "fr-fr",
	"fr-be":      "fr-be",
	"fr-ch":      "fr-ch",
	"iw":         "he", // the old code of Hebrew, which some systems still send
	"in":         "id", // and of Indonesian
	"no":         "nb",
	"fil":        "", // no voice; without this line "fil" would be cut to nothing known
	"pt-br":      "pt-br",
	"pt-pt":      "pt",
	"vi":         "vi",
	"yue":        "yue",
	"zh":         "cmn",
	"zh-hk":      "yue",
	"zh-mo":      "yue",
	"zh-hant-hk": "yue",
}

// espeakPlain are the languages whose voice is named like the tag.
var espeakPlain = strings.Fields(`af am an ar as az ba be bg bn bpy bs ca cmn cs cv cy da de el eo es et eu fa fi
	ga gd gn grc gu hak haw he hi hr ht hu hy ia id io is it ja jbo ka kk kl kn ko kok ku ky la lb lfn lt ltg lv mi
	mk ml mr ms mt my nb nci ne nl nog om or pa pap piqd pl pt py qdb qu quc qya ro ru sd shn si sjn sk sl smj sq sr sv sw
	ta te th tk tn tr tt ug uk ur uz`)

// latinAmerica are the regions whose Spanish is that of es-419.
var latinAmerica = strings.Fields("ar bo cl co cr cu do ec gt hn mx ni pa pe pr py sv us uy ve")

// espeakVoice maps a BCP 47 tag to a voice, from the most to the least specific,
// and reports whether there is one. An empty tag means English.
func espeakVoice(tag string) (voice string, ok bool) {
	if tag == "" {
		tag = "en"
	}
	tag = strings.ReplaceAll(strings.ToLower(tag), "_", "-")
	if region, has := strings.CutPrefix(tag, "es-"); has && slices.Contains(latinAmerica, region) {
		return "es-419", true
	}
	for tag != "" {
		if v, known := espeakVoices[tag]; known {
			return v, v != ""
		}
		if slices.Contains(espeakPlain, tag) {
			return tag, true
		}
		i := strings.LastIndexByte(tag, '-')
		if i < 0 {
			break
		}
		tag = tag[:i]
	}
	return "", false
}
