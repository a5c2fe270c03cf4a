package e2e_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/test/simulator"
)

func TestOneWhoWritesTooMuch(t *testing.T) {
	b := start(t, settings{"RATE_LIMIT_MESSAGES": "3", "RATE_LIMIT_EVERY": "1h", "REPLY_MODE": "text", "LANGUAGES": "fr"})
	noisy, other := b.user(t), b.user(t)
	for range 3 {
		noisy.writes("hi")
		noisy.reads("You said: hi")
	}
	noisy.writes("hi")
	noisy.reads("Vous écrivez plus vite que je ne peux répondre. Attendez quelques minutes, s'il vous plaît, puis écrivez-moi de nouveau.")
	for range 5 {
		noisy.writes("hi")
	}
	other.writes("hello")
	other.reads("You said: hello")
	b.until("the others are dropped", func(lines []line) bool { return count(lines, "turn.dropped") > 0 })
	require.Equal(t, "rate", b.events("turn.dropped")[0].str("reason"))
	b.idle()
	b.wait(t, "nothing more is said", func(v simulator.Snapshot) bool { return len(v.Outbound(noisy.id)) == 4 })
	require.Len(t, b.events("llm.ok"), 4)
}

func TestClipsThatAreNotHeard(t *testing.T) {
	b := start(t, settings{"MAX_CLIP": "20s", "REPLY_MODE": "text"})
	ana := b.user(t)
	long, err := fake.Clip("a speech", 21*time.Second)
	require.NoError(t, err)
	ana.speaks(long.Bytes())
	ana.reads("Sorry, that voice message is too long for me. Could you send a shorter one, or write it?")
	for _, broken := range [][]byte{
		[]byte("OggS and nothing else"),
		append([]byte("OggS"), bytes.Repeat([]byte{0}, 5000)...),
		long.Bytes()[:60],
	} {
		ana.speaks(broken)
		ana.reads("Sorry, I couldn't make out your voice message. Could you say it again, or write it?")
	}
	fine, err := fake.Clip("a question", 5*time.Second)
	require.NoError(t, err)
	ana.speaks(fine.Bytes())
	ana.reads("You said: a question")
	require.Len(t, b.events("llm.ok"), 1)
}
