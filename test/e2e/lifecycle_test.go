package e2e_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// platformLimit is when the platform kills a program that was asked to end: 10 s,
// less a second for the signal's way.
const platformLimit = 9 * time.Second

// TestDrain: a turn in flight is finished, and nobody is let in any more.
func TestDrain(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "ttft=3s"})
	ana := b.user(t)
	ana.writes("hi")
	b.wait(t, "a turn is in flight", func(v simulator.Snapshot) bool { return v.Typing(ana.id) })

	began := time.Now()
	b.run.terminate(t)
	eventually(t, "connections are refused", func() bool {
		conn, err := net.Dial("tcp", b.addr)
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	require.Empty(t, b.sim.Outbound(ana.id), "the door closes before the turn has ended")
	require.True(t, b.run.running())
	ana.hears("You said: hi")
	require.Zero(t, b.run.wait(t))
	require.Less(t, time.Since(began), platformLimit)
	require.Len(t, b.events("turn.finished"), 1, "the outcome was stored")

	b.restart(settings{"FAKE_KNOBS": ""})
	ana.thatWasAll()
}

func TestStopWithNothingToDo(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"ADMIN_ADDR": freeAddress(t)})
	ana := b.user(t)
	ana.writes("hi")
	ana.hears("You said: hi")
	b.idle()
	b.logs("turn.finished", 1)
	code, took := b.stop()
	require.Zero(t, code)
	require.Less(t, took, platformLimit)
	require.Len(t, b.events("stopped"), 1)
	b.restart()
	ana.thatWasAll()
}

// TestDrainTimeRunsOut: a turn that takes too long is left for the next process.
func TestDrainTimeRunsOut(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "hang", "DRAIN_TIMEOUT": "300ms"})
	ana := b.user(t)
	ana.writes("hi")
	b.wait(t, "a turn is in flight", func(v simulator.Snapshot) bool { return v.Typing(ana.id) })
	code, took := b.stop()
	require.Zero(t, code)
	require.Less(t, took, platformLimit)
	require.Empty(t, b.sim.Outbound(ana.id), "not even an apology")
	b.restart(settings{"FAKE_KNOBS": ""})
	ana.hears("You said: hi")
	ana.thatWasAll()
}

// TestStopWhileASendWaits: a deferred turn does not hold up the end, and its time
// comes in the next process.
func TestStopWhileASendWaits(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.faults(func(f *simulator.Faults) { f.ErrorPercent = 100 })
	ana := b.user(t)
	ana.writes("hi")
	b.logs("turn.deferred", 1)
	code, took := b.stop()
	require.Zero(t, code)
	require.Less(t, took, platformLimit)
	b.faults(noFaults)
	b.restart()
	ana.reads("You said: hi")
	ana.thatWasAll()
}

// TestKillDuringATurn pulls the plug at the places where it matters.
func TestKillDuringATurn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		env   settings
		knobs string
		fault func(f *simulator.Faults)
		until func(b *bot, ana *user)
	}{
		{
			"right after the 200", nil, "ttft=3s", nil,
			func(b *bot, _ *user) {
				b.wait(b.t, "the message is taken", func(v simulator.Snapshot) bool { return v.Counts().InboundDelivered == 1 })
			},
		},
		{
			"while the model thinks", nil, "ttft=3s", nil,
			func(b *bot, ana *user) {
				b.wait(b.t, "a turn is in flight", func(v simulator.Snapshot) bool { return v.Typing(ana.id) })
			},
		},
		{
			"while the voice speaks", nil, "speak=3s", nil,
			func(b *bot, _ *user) { b.logs("llm.ok", 1) },
		},
		{
			"before WhatsApp has the answer",
			settings{"REPLY_MODE": "text"},
			"", func(f *simulator.Faults) { f.GraphDelayMS = 5000 },
			func(b *bot, _ *user) { b.logs("reply.sending", 1) },
		},
		{
			"once WhatsApp has the answer", nil, "", nil,
			func(b *bot, ana *user) {
				b.wait(b.t, "the answer is there", func(v simulator.Snapshot) bool { return len(v.Outbound(ana.id)) == 1 })
			},
		},
		{
			"once WhatsApp has the answer, whose own answer is lost", nil, "", func(f *simulator.Faults) { f.DropAnswerPercent = 100 },
			func(b *bot, ana *user) {
				b.wait(b.t, "the answer is there", func(v simulator.Snapshot) bool { return len(v.Outbound(ana.id)) == 1 })
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, tt.env, settings{"FAKE_KNOBS": tt.knobs, "SETTLE_WAIT": "3s"})
			if tt.fault != nil {
				b.faults(tt.fault)
			}
			ana := b.user(t)
			ana.writes("hi")
			tt.until(b, ana)
			b.kill()
			b.faults(noFaults)
			b.restart(settings{"FAKE_KNOBS": ""})
			if tt.env["REPLY_MODE"] == "text" {
				ana.reads("You said: hi")
			} else {
				ana.hears("You said: hi")
			}
			ana.thatWasAll()
		})
	}
}

// TestDownWhileTheOutcomeIsOpen: the answer was taken, nobody heard of it, and the
// time to wait for the status runs out while the program is down. Nobody could
// tell it meanwhile, so it waits anew.
func TestDownWhileTheOutcomeIsOpen(t *testing.T) {
	t.Parallel()
	const settle = 4 * time.Second
	b := start(t, settings{"FAKE_KNOBS": "ttft=1s", "SETTLE_WAIT": settle.String()})
	ana := b.user(t)
	ana.writes("hi")
	b.wait(t, "the message is taken", func(v simulator.Snapshot) bool { return v.Counts().InboundDelivered == 1 })
	b.unplug()
	b.faults(func(f *simulator.Faults) { f.DropAnswerPercent = 100 })
	ana.hears("You said: hi")
	b.logs("turn.deferred", 1)
	b.kill()
	b.faults(noFaults)
	time.Sleep(settle) // what is tested: the time has passed
	b.restart(settings{"FAKE_KNOBS": "", "SETTLE_WAIT": "1m"})
	b.logs("turn.deferred", 2)
	require.Len(t, b.sim.Outbound(ana.id), 1)
	b.plug()
	b.logs("turn.finished", 1)
	ana.thatWasAll()
}

// TestAnswerIsNotMadeTwice: what the model said before the kill is what the user
// hears after it, though the model would say something else now.
func TestAnswerIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "speak=5s"})
	ana := b.user(t)
	ana.speaks(recording(t, "hi"))
	b.logs("llm.ok", 1)
	// The event is reported before its checkpoint; the next webhook's 200 is written
	// by the same writer behind it.
	luis := b.user(t)
	luis.sends(simulator.RequestWelcome())
	b.wait(t, "the writer has gone on", func(v simulator.Snapshot) bool { return v.Counts().InboundDelivered == 2 })
	b.kill()
	b.restart(settings{"FAKE_KNOBS": "", "LLM_PROVIDER": "offline"})
	ana.hears("You said: hi")
	require.Len(t, b.events("stt.ok"), 1, "the note was transcribed once")
	require.Len(t, b.events("llm.ok"), 1, "the model was asked once")
	ana.thatWasAll()
}

// TestWhatComesWhileNobodyIsThere is delivered again by WhatsApp until it is taken.
func TestWhatComesWhileNobodyIsThere(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	b.kill()
	ana.writes("hi")
	b.wait(t, "the door was found closed", func(v simulator.Snapshot) bool { return v.Counts().WebhookTries >= 2 })
	b.restart()
	ana.hears("You said: hi")
	ana.thatWasAll()
}
