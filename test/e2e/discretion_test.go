package e2e_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// Every test ends with a look at all that its processes printed: whatever a test does,
// nobody's number, id, name or words and no secret may stand there, and what is about a
// message says so by hashes. TestNothingPersonalIsShown looks for rarer spellings, too.

var (
	wamidShape = regexp.MustCompile(`wamid\.[0-9A-Za-z+/=_-]+`)
	numberLike = regexp.MustCompile(`[0-9]{7,}`)
	idLike     = regexp.MustCompile(`[A-Z]{2}\.(?:ENT\.)?[0-9A-Za-z]+`)
	secretName = regexp.MustCompile(`(TOKEN|SECRET|PASSWORD|KEYS?|HEADERS)$`)
	refShape   = regexp.MustCompile(`^[0-9a-f]{16}$`)
	// aMessages are the events that are always about a message and the person behind it.
	aMessages = regexp.MustCompile(`^(webhook\.received|dedup\.|turn\.|stt\.|llm\.|tts\.|tool\.|reply\.|words\.|pacing\.|vendor\.(call|failed|switched)$)`)
)

const (
	shortestWords  = 16 // characters; shorter ones stand in other words by chance
	shortestName   = 8
	shortestSecret = 8
	mostWords      = 150 // texts of one test that are looked for
)

// private is what a log must not show of a test.
type private struct{ numbers, ids, words map[string]bool }

func privateOf(users []simulator.User, messages func(id string) []simulator.Message, env settings) private {
	p := private{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for name, value := range env {
		if secretName.MatchString(name) && len(value) >= shortestSecret {
			p.words[value] = true
		}
	}
	for _, u := range users {
		p.numbers[u.Phone], p.ids[u.UserID] = true, true
		for _, name := range []string{u.Name, u.Username} {
			if len(name) >= shortestName {
				p.words[name] = true
			}
		}
		for _, m := range messages(u.ID) {
			if len(m.Text) >= shortestWords && len(p.words) < mostWords {
				quoted, _ := json.Marshal(m.Text)
				p.words[strings.Trim(string(quoted), `"`)] = true
			}
		}
	}
	delete(p.ids, "")
	return p
}

// shownIn lists what of it stands in a text, and any wamid.
func (p private) shownIn(text string) (shown []string) {
	shown = append(shown, wamidShape.FindAllString(text, 3)...)
	for _, n := range numberLike.FindAllString(text, -1) {
		if p.numbers[n] {
			shown = append(shown, n)
		}
	}
	for _, id := range idLike.FindAllString(text, -1) {
		if p.ids[id] {
			shown = append(shown, id)
		}
	}
	for w := range p.words {
		if strings.Contains(text, w) {
			shown = append(shown, w)
		}
	}
	return shown
}

// nameless says what a line that is about a message lacks, or nothing.
func nameless(l line) string {
	trouble := l.event() == "bot.trouble" && l.str("what") != "lease" // when none could be taken there is nobody to name
	if !trouble && !aMessages.MatchString(l.event()) {
		return ""
	}
	if !refShape.MatchString(l.str("user_ref")) {
		return "user_ref"
	}
	refs := []any{l["msg_ref"], l["reply_ref"]}
	if several, ok := l["msg_refs"].([]any); ok {
		refs = append(refs, several...)
	}
	for _, r := range refs {
		if s, ok := r.(string); ok && refShape.MatchString(s) {
			return ""
		}
	}
	return "msg_ref, msg_refs or reply_ref"
}

// discreet looks at all that the processes of a test have printed.
func (b *bot) discreet() {
	p := privateOf(b.sim.Users(), b.sim.Messages, b.env)
	for i, j := range append([]*journal{b.stdout, b.stderr}, b.more...) {
		for _, shown := range p.shownIn(j.text()) {
			b.t.Errorf("output %d shows %q", i, shown)
		}
		if j == b.stderr {
			continue
		}
		lines, _, _ := j.lines()
		for _, l := range lines {
			if lacks := nameless(l); lacks != "" {
				b.t.Errorf("a line about a message has no %s: %v", lacks, l)
				break // one is enough
			}
		}
	}
}

// journal is one for a further process of the test, which is looked at in the end.
func (b *bot) journal() *journal {
	j := newJournal()
	b.more = append(b.more, j)
	return j
}

// TestTheLookAtAllOutputFinds what it looks for.
func TestTheLookAtAllOutputFinds(t *testing.T) {
	p := privateOf([]simulator.User{{ID: "u1", Name: "Zephyrine Q", Phone: "34699887766", UserID: "ES.1349", Username: "zephyrine"}},
		func(string) []simulator.Message {
			return []simulator.Message{{Text: `my "secret" plan is this`}, {Text: "hello"}}
		},
		settings{"OPENAI_API_KEY": "sk-12345678", "REPLY_MODE": "text", "STORE_KEY": ""})
	for _, planted := range []string{
		`{"error":"to 34699887766"}`, `{"error":"+34699887766"}`, `user ES.1349 is gone`, `Zephyrine Q`, `@zephyrine`, `{"said":"my \"secret\" plan is this"}`,
		`Bearer sk-12345678`, `no wamid.HBgLMzQ2MDA= here`,
	} {
		require.Len(t, p.shownIn(planted), 1, planted)
	}
	require.Empty(t, p.shownIn(`{"event":"turn.finished","ms":34699887,"user_ref":"0134699887766abc","text":"hello","mode":"text"}`))

	const ref = "0123456789abcdef"
	for about, c := range map[string]struct {
		l     line
		lacks string
	}{
		"whole":            {line{"event": "turn.finished", "user_ref": ref, "msg_ref": ref}, ""},
		"several messages": {line{"event": "llm.ok", "user_ref": ref, "msg_refs": []any{ref, ref}}, ""},
		"a reply":          {line{"event": "reply.played", "user_ref": ref, "reply_ref": ref}, ""},
		"no person":        {line{"event": "llm.ok", "msg_ref": ref}, "user_ref"},
		"no message":       {line{"message": "vendor.failed", "user_ref": ref}, "msg_ref, msg_refs or reply_ref"},
		"a number":         {line{"event": "llm.ok", "user_ref": ref, "msg_ref": "34699887766"}, "msg_ref, msg_refs or reply_ref"},
		"about no message": {line{"message": "vendor.breaker"}, ""},
	} {
		require.Equal(t, c.lacks, nameless(c.l), about)
	}
}
