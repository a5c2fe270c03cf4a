package rig

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

// Token is the text of a user's n-th message. The fake model says it back, so the
// answers tell which messages they answer.
func Token(user string, n int) string { return fmt.Sprintf("<%s:%d>", user, n) }

var tokens = regexp.MustCompile(`<(u\d+):(\d+)>`)

// Verdict is what the audit found. It looks at the simulator's side only: what was
// delivered to the bot and what the bot had accepted.
type Verdict struct {
	Messages, Answers  int
	Lost, Twice, Order int
	Apologies          int // answers that answer nothing, such as the fallback message
	Examples           []string
	// Filled in by the caller, for the report.
	Ambiguous, Starts int
	Took              time.Duration
}

// Clean reports whether every promise was kept.
func (v Verdict) Clean() bool {
	return v.Lost == 0 && v.Twice == 0 && v.Order == 0 && v.Apologies == 0
}

// Audit reads the simulator; file fetches the bytes of a voice note.
func Audit(sim *simulator.Simulator, file func(id string) ([]byte, error)) Verdict {
	var v Verdict
	for _, u := range sim.Users() {
		sent := 0
		for _, m := range sim.Messages(u.ID) {
			if m.Direction == simulator.DirectionIn {
				sent++
			}
		}
		v.Messages += sent
		v.user(u.ID, sent, sim.Outbound(u.ID), file)
	}
	return v
}

// user checks one user's answers: each message exactly once, in order.
func (v *Verdict) user(user string, sent int, out []simulator.Message, file func(id string) ([]byte, error)) {
	times := make([]int, sent+1)
	last := 0
	for _, m := range out {
		v.Answers++
		said := m.Text
		if m.Media != nil {
			said = transcript(file, m.Media.ID)
		}
		found := tokens.FindAllStringSubmatch(said, -1)
		if len(found) == 0 {
			v.Apologies++
			v.example("user %s got an answer that answers nothing", user)
		}
		for _, f := range found {
			n, _ := strconv.Atoi(f[2])
			if f[1] != user || n < 1 || n > sent {
				v.Order++
				v.example("user %s got the answer to %s", user, f[0])
				continue
			}
			times[n]++
			if n <= last && times[n] == 1 {
				v.Order++
				v.example("user %s: message %d was answered after %d", user, n, last)
			}
			last = max(last, n)
		}
	}
	for n := 1; n <= sent; n++ {
		switch {
		case times[n] == 0:
			v.Lost++
			v.example("user %s: message %d was never answered", user, n)
		case times[n] > 1:
			v.Twice++
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

func (v *Verdict) example(format string, args ...any) {
	if len(v.Examples) < 20 {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// Print writes the counts and the verdict.
func (v Verdict) Print(w io.Writer) {
	fmt.Fprintf(w, "messages %d, answers %d, starts of the bot %d, sends with unknown outcome %d, time %s\n",
		v.Messages, v.Answers, v.Starts, v.Ambiguous, v.Took.Round(time.Millisecond))
	fmt.Fprintf(w, "lost %d, answered twice %d, order breaks %d, other answers %d\n", v.Lost, v.Twice, v.Order, v.Apologies)
	slices.Sort(v.Examples)
	for _, e := range v.Examples {
		fmt.Fprintln(w, "  "+e)
	}
	if v.Clean() {
		fmt.Fprintln(w, "PASS: every message was answered, none twice, each user in order")
	} else {
		fmt.Fprintln(w, "FAIL")
	}
}
