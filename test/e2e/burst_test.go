package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// sociable are the program's own defaults for messages in a row.
var sociable = settings{"BURST_WINDOW": "", "BURST_UNFINISHED": "", "BURST_LIMIT": ""}

// TestBurstGetsOneAnswer: a text, a voice message and a text get one answer that
// takes all three into account, and a fourth that comes while it is spoken replaces
// it.
func TestBurstGetsOneAnswer(t *testing.T) {
	t.Parallel()
	b := start(t, sociable, settings{"FAKE_KNOBS": "speak=2s,transcribe=300ms", "REPLY_MODE": "both", "SPEAK_PARALLEL": "4"})
	ana := b.user(t)
	ana.writes("I have a question")
	ana.speaks(recording(t, "it is about the blue lamp"))
	third := ana.writes("When will it be here?")
	b.logs("llm.ok", 1)
	require.Empty(t, b.sim.Outbound(ana.id), "the answer is being spoken")
	ana.writes("And what does it cost?")

	note := ana.gets()
	require.Equal(t, "audio", note.Type)
	validOpus(t, b.file(t, note))
	said := ana.gets()
	require.Equal(t, "You said: I have a question\nit is about the blue lamp\nWhen will it be here?\nAnd what does it cost?", said.Text)
	b.logs("turn.finished", 1)
	lines := b.log()
	require.Positive(t, count(lines, "turn.joined"))
	require.Equal(t, 2, count(lines, "llm.ok"), "the first answer was made and dropped")
	require.Equal(t, 1, count(lines, "stt.ok"), "the voice message was heard once")
	require.NotEmpty(t, third)
	ana.seen = 2
	require.Len(t, b.sim.Outbound(ana.id), 2)
}

func TestFinishedQuestionIsNotHeldBack(t *testing.T) {
	t.Parallel()
	b := start(t, sociable, settings{"REPLY_MODE": "text"})
	ana := b.user(t, simulator.UserSpec{})
	ana.writes("When do you open on Sunday?")
	ana.reads("You said: When do you open on Sunday?")
	ana.writes("good morning")
	ana.writes("is my bike ready?")
	ana.reads("You said: good morning\nis my bike ready?")
}
