package googletts

import (
	"strings"

	"golang.org/x/text/language"
)

// voice is a voice for a language.
type voice struct {
	tag  language.Tag
	name string
}

type voices []voice

// find returns the name of the voice for a language: the very tag's, else one of the
// same language, preferring one without a region and then one of the region where
// most speak it. It is empty when there is none.
func (v voices) find(tag language.Tag) string {
	base, _ := tag.Base()
	usual, _ := language.Make(base.String()).Region()
	best, name := 0, ""
	for _, each := range v {
		b, _ := each.tag.Base()
		region, confidence := each.tag.Region()
		rank := 0
		switch {
		case each.tag == tag:
			rank = 4
		case b != base:
		case confidence != language.Exact:
			rank = 3
		case region == usual:
			rank = 2
		default:
			rank = 1
		}
		if rank > best {
			best, name = rank, each.name
		}
	}
	return name
}

// odd are the tags that Google writes in a way of its own, by language, or by
// language and region (Google, "Supported voices and languages").
var odd = map[string]string{
	"ar":     "ar-XA",
	"no":     "nb-NO",
	"nn":     "nb-NO",
	"es-419": "es-US",
	"en-001": "en-US",
	"zh-CN":  "cmn-CN",
	"zh-SG":  "cmn-CN",
	"zh-TW":  "cmn-TW",
	"zh-HK":  "yue-HK",
}

func parseTag(tag string) (language.Tag, bool) {
	t, err := language.All.Parse(tag)
	return t, err == nil && t != language.Und
}

// googleTag writes a tag as Google knows it: with the region where most speak the
// language, and without a script.
func googleTag(tag language.Tag) string {
	base, _ := tag.Base()
	region, confidence := tag.Region()
	for _, key := range []string{base.String() + "-" + region.String(), base.String()} {
		if g, ok := odd[key]; ok {
			return g
		}
	}
	if confidence == language.No {
		return base.String()
	}
	return base.String() + "-" + region.String()
}

// languageOf is the language in a voice's name, "de-DE" in "de-DE-Wavenet-F". The
// service refuses a voice together with another language.
func languageOf(name string) (string, bool) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) < 3 || len(parts[0]) < 2 || len(parts[0]) > 3 || len(parts[1]) < 2 || len(parts[1]) > 3 {
		return "", false
	}
	return parts[0] + "-" + parts[1], true
}
