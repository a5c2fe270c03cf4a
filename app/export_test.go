package app

import (
	"strconv"
	"time"

	"whatsappnode/domain"
)

// LoopsAfter is how many conversations are remembered after so many had an exchange.
func LoopsAfter(n int) int {
	var l loops
	now := time.Unix(0, 0)
	for i := range n {
		l.note(domain.ConversationID(strconv.Itoa(i)), "hello", now, now.Add(time.Second))
		now = now.Add(time.Millisecond)
	}
	return len(l.chats)
}

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

// AsksForHuman reports whether a text asks for a human, and in which language.
var AsksForHuman = asksForHuman
