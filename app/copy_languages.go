package app

import (
	"maps"
	"slices"
	"strings"

	"whatsappnode/domain"
)

// languageNames are what languages are called by those who speak them, so that a
// person finds the own one in a list whatever the sentence around it is in.
var languageNames = map[string]string{
	"af": "Afrikaans", "am": "አማርኛ", "ar": "العربية", "bg": "български", "bn": "বাংলা", "ca": "català", "cs": "čeština", "da": "dansk",
	"de": "Deutsch", "el": "ελληνικά", "en": "English", "es": "español", "et": "eesti", "eu": "euskara", "fa": "فارسی", "fi": "suomi",
	"fil": "Filipino", "fr": "français", "gl": "galego", "gu": "ગુજરાતી", "ha": "Hausa", "he": "עברית", "hi": "हिन्दी", "hr": "hrvatski",
	"hu": "magyar", "id": "Bahasa Indonesia", "it": "italiano", "ja": "日本語", "kn": "ಕನ್ನಡ", "ko": "한국어", "lt": "lietuvių", "lv": "latviešu",
	"ml": "മലയാളം", "mr": "मराठी", "ms": "Bahasa Melayu", "nl": "Nederlands", "no": "norsk", "pa": "ਪੰਜਾਬੀ", "pl": "polski", "pt": "português",
	"ro": "română", "ru": "русский", "sk": "slovenčina", "sl": "slovenščina", "sr": "српски", "sv": "svenska", "sw": "Kiswahili", "ta": "தமிழ்",
	"te": "తెలుగు", "th": "ไทย", "tr": "Türkçe", "uk": "українська", "ur": "اردو", "vi": "Tiếng Việt", "yue": "粵語", "zh": "中文", "zu": "isiZulu",
}

// named are the tags of languageNames.
var named = domain.Languages(slices.Sorted(maps.Keys(languageNames)))

// namesOf lists languages by their own names, each once; one without a name here is
// listed by its tag.
func namesOf(languages domain.Languages) string {
	var out []string
	for _, l := range languages {
		name := l
		if tag, ok := named.Nearest(l); ok {
			name = languageNames[tag]
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}
