package app

// Sentences are the bot's own, by language and notice.
func Sentences() map[string]map[string]string {
	out := map[string]map[string]string{}
	for language, all := range sentences {
		out[language] = map[string]string{}
		for n, s := range all {
			out[language][string(n)] = s
		}
	}
	return out
}

// NamesOf is namesOf.
var NamesOf = namesOf
