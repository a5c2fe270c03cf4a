package openai

import (
	"regexp"
	"slices"
	"strings"
)

// languageNames are the names under which Whisper servers report a language, with
// its BCP 47 tag. The list is Whisper's, its aliases included.
var languageNames = names(`
	afrikaans af, albanian sq, amharic am, arabic ar, armenian hy, assamese as, azerbaijani az, bashkir ba, basque eu,
	belarusian be, bengali bn, bosnian bs, breton br, bulgarian bg, burmese my, cantonese yue, castilian es, catalan ca,
	chinese zh, croatian hr, czech cs, danish da, dutch nl, english en, estonian et, faroese fo, finnish fi, flemish nl,
	french fr, galician gl, georgian ka, german de, greek el, gujarati gu, haitian ht, haitian creole ht, hausa ha,
	hawaiian haw, hebrew he, hindi hi, hungarian hu, icelandic is, indonesian id, italian it, japanese ja, javanese jv,
	kannada kn, kazakh kk, khmer km, korean ko, lao lo, latin la, latvian lv, letzeburgesch lb, lingala ln, lithuanian lt,
	luxembourgish lb, macedonian mk, malagasy mg, malay ms, malayalam ml, maltese mt, mandarin zh, maori mi, marathi mr,
	moldavian ro, moldovan ro, mongolian mn, myanmar my, nepali ne, norwegian no, nynorsk nn, occitan oc, panjabi pa,
	pashto ps, persian fa, polish pl, portuguese pt, punjabi pa, pushto ps, romanian ro, russian ru, sanskrit sa,
	serbian sr, shona sn, sindhi sd, sinhala si, sinhalese si, slovak sk, slovenian sl, somali so, spanish es,
	sundanese su, swahili sw, swedish sv, tagalog tl, tajik tg, tamil ta, tatar tt, telugu te, thai th, tibetan bo,
	turkish tr, turkmen tk, ukrainian uk, urdu ur, uzbek uz, valencian ca, vietnamese vi, welsh cy, yiddish yi, yoruba yo`)

func names(list string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		words := strings.Fields(pair)
		last := len(words) - 1
		out[strings.Join(words[:last], " ")] = words[last]
	}
	return out
}

// canonical are codes of the same language: Whisper's or outdated ones, and those of
// close relatives that Whisper does not tell apart.
var canonical = map[string]string{"jw": "jv", "iw": "he", "in": "id", "ji": "yi", "nb": "no", "fil": "tl"}

// tagPattern is the shape of a tag: a language of two or three letters and what may
// follow it.
var tagPattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)

// tagOf makes a BCP 47 tag of what a server calls the language: a name ("english",
// "English") or a code ("en", "pt_br"). What is neither, such as "auto", and the
// codes for "undetermined" and "none" give nothing.
func tagOf(said string) string {
	said = strings.TrimSpace(said)
	if tag, ok := languageNames[strings.ToLower(said)]; ok {
		return tag
	}
	if !tagPattern.MatchString(said) {
		return ""
	}
	language, rest, _ := strings.Cut(strings.ReplaceAll(said, "_", "-"), "-")
	language = strings.ToLower(language)
	if slices.Contains([]string{"und", "zxx", "mul", "mis"}, language) {
		return ""
	}
	if c, ok := canonical[language]; ok && language != "nb" && language != "fil" {
		language = c // the others are good tags as they are
	}
	if rest == "" {
		return language
	}
	return language + "-" + rest
}

// primary is the language of a tag without script and region, one code for each
// language.
func primary(tag string) string {
	language, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	if c, ok := canonical[language]; ok {
		return c
	}
	return language
}

// whisperCode is the code by which Whisper is told a language.
func whisperCode(tag string) string {
	if code := primary(tag); code != "jv" {
		return code
	}
	return "jw"
}

// codes are the languages of tags, each once.
func codes(tags []string) []string {
	var out []string
	for _, t := range tags {
		if c := primary(t); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
