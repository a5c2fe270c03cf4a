package googlespeech

import "golang.org/x/text/language"

// odd are the languages with their region that Google writes in a way of its own
// (Google, "Speech-to-Text supported languages" and "Chirp 3 Transcription").
var odd = map[string]string{
	"he-IL":  "iw-IL",
	"nn-NO":  "no-NO",
	"pa-IN":  "pa-Guru-IN",
	"en-001": "en-US",
	"es-419": "es-US", // nearest to Latin America that every model knows
	"zh-CN":  "cmn-Hans-CN",
	"zh-SG":  "cmn-Hans-CN",
	"zh-TW":  "cmn-Hant-TW",
	"zh-HK":  "yue-Hant-HK",
	"yue-HK": "yue-Hant-HK",
}

// googleTag writes a BCP 47 tag as Google knows it. The service refuses a language
// without a region, so the likeliest one is added: "en" becomes "en-US".
func googleTag(tag string, version2 bool) (string, bool) {
	if tag == anyLanguage && version2 {
		return anyLanguage, true
	}
	t, err := language.All.Parse(tag)
	if err != nil || t == language.Und {
		return "", false
	}
	base, _ := t.Base()
	region, confidence := t.Region()
	place := region.String()
	switch {
	case confidence == language.Exact:
	case base.String() == "sw":
		place = "KE" // the one that every model knows
	case base.String() == "ar" && version2:
		place = "XA" // no particular country
	case confidence == language.No:
		return base.String(), true
	}
	out := base.String() + "-" + place
	if g, ok := odd[out]; ok {
		return g, true
	}
	return out, true
}

// standardTag writes a tag of Google's as BCP 47 has it: "en-us" becomes "en-US" and
// "iw-IL" "he-IL". It is empty for what is no tag.
func standardTag(tag string) string {
	t, err := language.All.Parse(tag)
	if err != nil || t == language.Und {
		return ""
	}
	return t.String()
}

// googleTags does so for all tags a call names, without repetitions.
func googleTags(tags []string, version2 bool) ([]string, bool) {
	var out []string
	seen := map[string]bool{}
	for _, tag := range tags {
		g, ok := googleTag(tag, version2)
		if !ok {
			return nil, false
		}
		if !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	return out, true
}
