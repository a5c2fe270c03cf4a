package main

import (
	"fmt"
	"slices"
	"strings"

	"whatsappnode/test/redteam"
)

// injections are the attempts of the red team as they are played, each made ready once: a
// run of any length keeps no more than these.
type injections struct {
	said  []string // the first line of what a person sees of each
	texts []string
	clips [][]byte
}

func prepare(path string) (injections, error) {
	cases, err := redteam.Read(path)
	if err != nil {
		return injections{}, err
	}
	var out injections
	for _, c := range cases {
		clip, err := c.Spoken()
		if err != nil {
			return injections{}, err
		}
		out.said = append(out.said, strings.SplitN(c.Says, "\n", 2)[0])
		out.texts, out.clips = append(out.texts, c.Sent()), append(out.clips, clip)
	}
	return out, nil
}

// turn says who of so many sends which injection as the n-th: one after the other, and in
// each round another one, since who repeats himself is taken for a machine. Each has half a
// minute for an answer, so that one injection is one turn.
func turn(n, of int) (who, which int) { return n % of, (n%of + n/of) % of }

// write sends the n-th injection as text.
func (a *attack) write(n int) {
	who, which := turn(n, len(a.writers))
	if _, err := a.world.Sim.SendText(a.writers[who], a.rounds.texts[which]); err == nil {
		a.written.Add(1)
	}
}

// speak sends the n-th injection as a voice note.
func (a *attack) speak(n int) {
	who, which := turn(n, len(a.speakers))
	if _, err := a.world.Sim.SendVoice(a.speakers[who], a.rounds.clips[which]); err == nil {
		a.spoken.Add(1)
	}
}

// answered counts the answers that repeat an injection, as the fake model does with
// whatever reached it: it tells that the injections were understood, not only sent. Some
// are answered in other words, because of what stands in them.
func (a *attack) answered(people []string) int {
	n := 0
	for _, id := range people {
		for _, m := range a.world.Sim.Outbound(id) {
			if slices.ContainsFunc(a.rounds.said, func(said string) bool { return strings.Contains(m.Text, said) }) {
				n++
			}
		}
	}
	return n
}

// unheard says which of the injections were sent and mostly did not reach the model, so
// that nothing is proven.
func (a *attack) unheard() (broken []string) {
	for _, way := range []struct {
		name   string
		people []string
		sent   int64
	}{{"written", a.writers, a.written.Load()}, {"spoken", a.speakers, a.spoken.Load()}} {
		if n := a.answered(way.people); int64(n) < way.sent/2 {
			broken = append(broken, fmt.Sprintf("only %d of %d %s injections reached the model", n, way.sent, way.name))
		}
	}
	return broken
}
