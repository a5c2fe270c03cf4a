package app

import (
	"slices"
	"strings"

	"whatsappnode/domain"
)

// asking is how people of one language ask for a human: single words that are a whole
// message, and phrases, a wish and what is wished, in the form of domain.Plain.
type asking struct{ words, wishes, wished []string }

var askings = map[string]asking{
	"en": {
		words:  []string{"human", "a human", "agent", "human agent", "live agent", "operator", "representative", "real person", "talk to human", "customer service"},
		wishes: []string{"talk to", "talk with", "speak to", "speak with", "chat with", "connect me to", "connect me with", "transfer me to", "put me through to", "pass me to"},
		wished: []string{"a human", "human", "a human being", "a real human", "a person", "a real person", "an agent", "a human agent", "a live agent", "an operator", "a representative", "someone real", "customer service"},
	},
	"es": {
		words:  []string{"humano", "un humano", "agente", "agente humano", "operador", "operadora", "asesor", "persona real", "una persona"},
		wishes: []string{"hablar con", "hablarme con", "chatear con", "pasame con", "paseme con", "pasarme con", "comuniqueme con", "comunicame con"},
		wished: []string{"un humano", "una persona", "alguien real", "una persona real", "un agente", "una agente", "un operador", "una operadora", "un asesor", "una asesora", "atencion al cliente"},
	},
	"pt": {
		words:  []string{"humano", "um humano", "atendente", "agente", "operador", "atendimento humano", "pessoa real"},
		wishes: []string{"falar com", "conversar com", "me passe para", "me transfira para", "me passa para"},
		wished: []string{"um humano", "uma pessoa", "uma pessoa real", "um atendente", "uma atendente", "um agente", "um operador", "atendimento humano"},
	},
	"fr": {
		words:  []string{"humain", "un humain", "agent", "conseiller", "operateur", "vraie personne", "service client"},
		wishes: []string{"parler a", "parler avec", "discuter avec", "passez moi", "mettez moi en relation avec"},
		wished: []string{"un humain", "une personne", "une vraie personne", "quelqu un de reel", "un agent", "un conseiller", "une conseillere", "un operateur"},
	},
	"de": {
		words:  []string{"mensch", "ein mensch", "mitarbeiter", "kundenberater", "echter mensch", "kundendienst"},
		wishes: []string{"mit", "verbinden sie mich mit", "verbinde mich mit"},
		wished: []string{"einem menschen sprechen", "einem echten menschen sprechen", "einer person sprechen", "einem mitarbeiter sprechen", "einer mitarbeiterin sprechen", "einem menschen reden", "einem echten menschen reden", "einem mitarbeiter reden", "einem menschen verbinden", "einem mitarbeiter verbinden"},
	},
	"it": {
		words:  []string{"umano", "un umano", "operatore", "un operatore", "operatrice", "agente", "persona reale"},
		wishes: []string{"parlare con", "passami", "mi passi", "chattare con"},
		wished: []string{"un umano", "una persona", "una persona reale", "una persona vera", "un operatore", "un operatrice", "un agente", "un addetto", "un consulente"},
	},
}

// niceties may stand before or behind such words.
var niceties = []string{
	"please", "pls", "hi", "hello", "hey", "por favor", "hola", "ola", "s il vous plait", "s il te plait", "svp", "bonjour", "bitte", "hallo", "per favore", "ciao",
}

// nots turn a phrase into its opposite when one of them stands among the last words
// before it.
var nots = []string{"not", "don", "dont", "no", "nao", "pas", "nicht", "non", "never", "nunca", "without", "sin", "sem", "sans", "ohne", "senza"}

// lookBack is how many words before a phrase are looked at for a "not".
const lookBack = 4

// maxAsking is the longest message, in bytes, that may ask for a human: in a story of
// many sentences the words can mean anything, and the model reads it.
const maxAsking = 240

// phrase is one way to ask.
type phrase struct{ words, language string }

// phrasesByEnd are all phrases by their last word, so that a message that asks for
// nothing costs one look-up for each of its words.
var phrasesByEnd = func() map[string][]phrase {
	out := map[string][]phrase{}
	for language, a := range askings {
		for _, wish := range a.wishes {
			for _, wished := range a.wished {
				all := wish + " " + wished
				end := all[strings.LastIndexByte(all, ' ')+1:]
				out[end] = append(out[end], phrase{all, language})
			}
		}
	}
	return out
}()

// wordsForHumans are the words of askings as languageOf takes them.
var wordsForHumans = func() map[string][]string {
	out := map[string][]string{}
	for language, a := range askings {
		out[language] = a.words
	}
	return out
}()

// asksForHuman reports whether a text asks for a human, and in which language: the
// preferred one where several share the words. own are further whole messages.
func asksForHuman(text string, own []string, preferred string) (language string, ok bool) {
	if len(text) > maxAsking {
		return "", false
	}
	whole := withoutNiceties(domain.Plain(text))
	if whole == "" {
		return "", false
	}
	if language, ok = languageOf(whole, wordsForHumans, base(preferred)); ok {
		return language, true
	}
	if slices.Contains(own, whole) || slices.Contains(own, domain.Plain(text)) {
		return preferred, true
	}
	// A comma is the difference between "no, I want" and "I want no".
	for clause := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(",.;:!?¡¿\n—", r) }) {
		if language, ok = phraseIn(domain.Plain(clause), base(preferred)); ok {
			return language, true
		}
	}
	return "", false
}

// phraseIn looks for a phrase that is meant, in words of the form of domain.Plain.
func phraseIn(clause, preferred string) (language string, ok bool) {
	for end := 0; end < len(clause); {
		start := end
		if i := strings.IndexByte(clause[start:], ' '); i >= 0 {
			end = start + i
		} else {
			end = len(clause)
		}
		for _, p := range phrasesByEnd[clause[start:end]] {
			before, found := strings.CutSuffix(clause[:end], p.words)
			if !found || (before != "" && before[len(before)-1] != ' ') || negated(before) {
				continue
			}
			if language, ok = p.language, true; language == preferred {
				return language, true
			}
		}
		end++
	}
	return language, ok
}

func negated(before string) bool {
	words := strings.Fields(before)
	for _, w := range words[max(0, len(words)-lookBack):] {
		if slices.Contains(nots, w) {
			return true
		}
	}
	return false
}

func withoutNiceties(plain string) string {
	for again := true; again; {
		again = false
		for _, n := range niceties {
			if rest, ok := strings.CutPrefix(plain, n+" "); ok {
				plain, again = rest, true
			}
			if rest, ok := strings.CutSuffix(plain, " "+n); ok {
				plain, again = rest, true
			}
		}
	}
	return plain
}
