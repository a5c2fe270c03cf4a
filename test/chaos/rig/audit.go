package rig

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"whatsappnode/test/simulator"
)

// Token is the text of a user's n-th message. The fake model says it back, so the
// answers tell which messages they answer. It has only letters and digits, since a
// voice leaves out what looks like a tag.
func Token(user string, n int) string { return fmt.Sprintf("%sx%dx", user, n) }

var tokens = regexp.MustCompile(`(u\d+)x(\d+)x`)

// Verdict is what the audit found. It looks at the simulator's side only: what was
// delivered to the bot and what the bot had accepted.
type Verdict struct {
	Messages, Answers  int
	Lost, Twice, Order int
	// Apologies are answers that answer nothing, such as the fallback message. Each
	// stands for the unanswered messages between its neighbours.
	Apologies int
	Examples  []string
	// Delays are the times from each message to its answer, in ascending order.
	Delays []time.Duration
	// Filled in by the caller: Tolerant is set when vendors fail in the run, so that
	// an apology is a good end for a message; the rest is for the report.
	Tolerant          bool
	Ambiguous, Starts int
	Took              time.Duration
}

// Clean reports whether every promise was kept.
func (v Verdict) Clean() bool {
	return v.Lost == 0 && v.Twice == 0 && v.Order == 0 && (v.Tolerant || v.Apologies == 0)
}

// Chats is what the audit reads of a simulator.
type Chats interface {
	Users() []simulator.User
	Messages(user string) []simulator.Message
	Outbound(user string) []simulator.Message
}

// Audit reads the simulator; file fetches the bytes of a voice note.
func Audit(sim Chats, file func(id string) ([]byte, error)) Verdict {
	var v Verdict
	for _, u := range sim.Users() {
		var in []simulator.Message
		for _, m := range sim.Messages(u.ID) {
			if m.Direction == simulator.DirectionIn {
				in = append(in, m)
			}
		}
		v.Messages += len(in)
		c := newChat(&v, u.ID, in)
		for _, m := range sim.Outbound(u.ID) {
			said := m.Text
			if m.Media != nil {
				said = transcript(file, m.Media.ID)
			}
			c.answer(said, m.At)
		}
		c.close()
	}
	slices.Sort(v.Delays)
	return v
}

// chat checks one user's answers: each message exactly once, in the order in which
// the bot acknowledged them. That is the order it is answerable for: the network may
// turn two messages round before it.
type chat struct {
	v         *Verdict
	user      string
	in        []simulator.Message
	place     map[int]int // number of a message in its token -> place in in
	times     []int
	next      int // the place after the furthest that was answered
	apologies int // since then
}

func newChat(v *Verdict, user string, in []simulator.Message) *chat {
	slices.SortStableFunc(in, func(a, b simulator.Message) int { return cmp.Compare(acked(a), acked(b)) })
	c := &chat{v: v, user: user, in: in, place: map[int]int{}, times: make([]int, len(in))}
	for i, m := range in {
		if f := tokens.FindStringSubmatch(m.Text); f != nil {
			n, _ := strconv.Atoi(f[2])
			c.place[n] = i
		}
	}
	return c
}

func acked(m simulator.Message) int {
	if m.Acked == 0 {
		return math.MaxInt
	}
	return m.Acked
}

func (c *chat) answer(said string, at int64) {
	c.v.Answers++
	found := tokens.FindAllStringSubmatch(said, -1)
	if len(found) == 0 {
		c.v.Apologies++
		c.apologies++
	}
	for _, f := range found {
		n, _ := strconv.Atoi(f[2])
		i, known := c.place[n]
		if f[1] != c.user || !known {
			c.v.Order++
			c.v.example("user %s got the answer to %s", c.user, f[0])
			continue
		}
		if c.times[i]++; c.times[i] > 1 {
			continue
		}
		c.v.Delays = append(c.v.Delays, time.Duration(at-c.in[i].At)*time.Millisecond)
		if i < c.next {
			c.v.Order++
			c.v.example("user %s: message %d was answered after a later one", c.user, n)
			continue
		}
		c.excuse(i)
		c.next = i + 1
	}
}

// excuse lets the apologies since the last answer stand for the messages before
// place i that nothing answered. More apologies than messages is one too many.
func (c *chat) excuse(i int) {
	open := 0
	for j := c.next; j < i; j++ {
		if c.times[j] == 0 {
			open++
			if c.apologies > 0 {
				c.times[j] = 1
			}
		}
	}
	if c.apologies > open {
		c.v.Twice++
		c.v.example("user %s got %d apologies for %d messages before the %d-th", c.user, c.apologies, open, i+1)
	}
	c.apologies = 0
}

func (c *chat) close() {
	c.excuse(len(c.in))
	for n, i := range c.place {
		switch {
		case c.times[i] == 0:
			c.v.Lost++
			c.v.example("user %s: message %d was never answered", c.user, n)
		case c.times[i] > 1:
			c.v.Twice++
			c.v.example("user %s: message %d was answered %d times", c.user, n, c.times[i])
		}
	}
}

// transcript finds the words inside a fake voice note: they stand in its Ogg
// comment header. The spaces are left out, since a voice spells what looks like a code.
func transcript(file func(id string) ([]byte, error), id string) string {
	data, err := file(id)
	if err != nil {
		return ""
	}
	_, after, _ := bytes.Cut(data, []byte("TRANSCRIPT="))
	return strings.ReplaceAll(string(after[:min(len(after), 4096)]), " ", "")
}

func (v *Verdict) example(format string, args ...any) {
	if len(v.Examples) < 20 {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// quantile is the delay that a share q of the messages did not exceed.
func (v Verdict) quantile(q float64) time.Duration {
	if len(v.Delays) == 0 {
		return 0
	}
	return v.Delays[min(len(v.Delays)-1, int(q*float64(len(v.Delays))))]
}

// Print writes the counts and the verdict.
func (v Verdict) Print(w io.Writer) {
	fmt.Fprintf(w, "messages %d, answers %d, starts of the bot %d, sends with unknown outcome %d, time %s\n",
		v.Messages, v.Answers, v.Starts, v.Ambiguous, v.Took.Round(time.Millisecond))
	fmt.Fprintf(w, "message to answer: p50 %s, p99 %s, slowest %s\n", v.quantile(0.5), v.quantile(0.99), v.quantile(1))
	fmt.Fprintf(w, "lost %d, answered twice %d, order breaks %d, apologies %d\n", v.Lost, v.Twice, v.Order, v.Apologies)
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
