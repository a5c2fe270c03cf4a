package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"

	"whatsappnode/test/simulator"
)

// token is the text of a user's n-th message. The fake model says it back, so the
// answers tell which messages they answer.
func token(user string, n int) string { return fmt.Sprintf("<%s:%d>", user, n) }

var tokens = regexp.MustCompile(`<(u\d+):(\d+)>`)

// verdict is what the audit found. It looks at the simulator's side only: what was
// delivered to the bot and what the bot had accepted.
type verdict struct {
	messages, answers  int
	lost, twice, order int
	apologies          int
	examples           []string
	ambiguous, starts  int
	took               time.Duration
}

func (v verdict) clean() bool {
	return v.lost == 0 && v.twice == 0 && v.order == 0 && v.apologies == 0
}

// audit reads the simulator; file fetches the bytes of a voice note.
func audit(sim *simulator.Simulator, file func(id string) ([]byte, error)) verdict {
	var v verdict
	for _, u := range sim.Users() {
		sent := 0
		for _, m := range sim.Messages(u.ID) {
			if m.Direction == simulator.DirectionIn {
				sent++
			}
		}
		v.messages += sent
		v.user(u.ID, sent, sim.Outbound(u.ID), file)
	}
	return v
}

// user checks one user's answers: each message exactly once, in order.
func (v *verdict) user(user string, sent int, out []simulator.Message, file func(id string) ([]byte, error)) {
	times := make([]int, sent+1)
	last := 0
	for _, m := range out {
		v.answers++
		said := m.Text
		if m.Media != nil {
			said = transcript(file, m.Media.ID)
		}
		found := tokens.FindAllStringSubmatch(said, -1)
		if len(found) == 0 {
			v.apologies++
			v.example("user %s got an answer that answers nothing", user)
		}
		for _, f := range found {
			n, _ := strconv.Atoi(f[2])
			if f[1] != user || n < 1 || n > sent {
				v.order++
				v.example("user %s got the answer to %s", user, f[0])
				continue
			}
			times[n]++
			if n <= last && times[n] == 1 {
				v.order++
				v.example("user %s: message %d was answered after %d", user, n, last)
			}
			last = max(last, n)
		}
	}
	for n := 1; n <= sent; n++ {
		switch {
		case times[n] == 0:
			v.lost++
			v.example("user %s: message %d was never answered", user, n)
		case times[n] > 1:
			v.twice++
			v.example("user %s: message %d was answered %d times", user, n, times[n])
		}
	}
}

// transcript finds the words inside a fake voice note: they stand in its Ogg
// comment header.
func transcript(file func(id string) ([]byte, error), id string) string {
	data, err := file(id)
	if err != nil {
		return ""
	}
	_, after, _ := bytes.Cut(data, []byte("TRANSCRIPT="))
	return string(after[:min(len(after), 4096)])
}

func (v *verdict) example(format string, args ...any) {
	if len(v.examples) < 20 {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

func (v verdict) print(w io.Writer) {
	fmt.Fprintf(w, "messages %d, answers %d, starts of the bot %d, sends with unknown outcome %d, time %s\n",
		v.messages, v.answers, v.starts, v.ambiguous, v.took.Round(time.Millisecond))
	fmt.Fprintf(w, "lost %d, answered twice %d, order breaks %d, other answers %d\n", v.lost, v.twice, v.order, v.apologies)
	slices.Sort(v.examples)
	for _, e := range v.examples {
		fmt.Fprintln(w, "  "+e)
	}
	if v.clean() {
		fmt.Fprintln(w, "PASS: every message was answered, none twice, each user in order")
	} else {
		fmt.Fprintln(w, "FAIL")
	}
}
