package app

import (
	"strconv"
	"sync/atomic"
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

// MaxResting is maxResting.
const MaxResting = maxResting

// Crew is the crew of the process, with what its tasks are at.
type Crew struct {
	voices
	working atomic.Int64
}

// NewCrew is newCrew.
func NewCrew() *Crew { return &Crew{voices: voices{crew: newCrew()}} }

// Enter begins an answer.
func (c *Crew) Enter() { c.enter() }

// Leave ends one.
func (c *Crew) Leave() { c.leave() }

// Begin begins a task.
func (c *Crew) Begin(do, done func()) {
	c.crew.begin(task{do: func() { c.working.Add(1); do(); c.working.Add(-1) }, done: done})
}

// Working and Resting count those with a task and those without.
func (c *Crew) Working() int { return int(c.working.Load()) }
func (c *Crew) Resting() int { return int(c.crew.resting.Load()) }
