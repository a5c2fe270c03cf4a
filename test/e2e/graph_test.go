package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// TestLateFailureOfAVoiceNote: Meta took the note and said later that it is no
// good. The words follow as text, once, however often that is told.
func TestLateFailureOfAVoiceNote(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.faults(func(f *simulator.Faults) { f.LateFailureCode, f.DuplicatePercent = 131053, 100 })
	ana := b.user(t)
	ana.writes("hi")
	note := ana.hears("You said: hi")
	words := ana.reads("You said: hi")
	of, _, _ := reference(t, note)
	same, part, _ := reference(t, words)
	require.Equal(t, of, same)
	require.Equal(t, 1, part)
	b.idle()
	b.faults(noFaults)
	ana.thatWasAll()
}

// TestRefusalsOfOneRecipient: what each kind of error calls for.
func TestRefusalsOfOneRecipient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code, times int
		answered    bool
		form        string
	}{
		{131026, 1, false, ""}, // undeliverable: never
		{131047, 1, false, ""}, // the window is closed
		{131056, 1, true, "audio"},
		{130429, 2, true, "audio"},
		{131000, 1, true, "audio"},
		{131053, 1, true, "text"}, // the note is refused at once: its words
	} {
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			t.Parallel()
			b := start(t)
			ana := b.user(t, simulator.UserSpec{Phone: "34600111222"})
			b.faults(func(f *simulator.Faults) {
				f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: tt.code, Times: tt.times}
			})
			ana.writes("hi")
			if tt.answered {
				m := ana.gets()
				require.Equal(t, tt.form, m.Type)
				if tt.form == "audio" {
					require.Equal(t, "You said: hi", ana.listen(m))
					_, part, attempt := reference(t, m)
					require.Equal(t, []int{0, 1 + tt.times}, []int{part, attempt}, "the same part, tried again")
				} else {
					require.Equal(t, "You said: hi", m.Text)
				}
			}
			b.logs("turn.finished", 1)
			refused := b.entries(simulator.LogSendRefused)
			require.Len(t, refused, tt.times)
			require.Equal(t, tt.code, refused[0].Code)
			require.Equal(t, 1, b.sim.Counts().Uploads, "a send that is tried again is not spoken again")
			if !tt.answered {
				require.Equal(t, "failed", b.events("turn.finished")[0].str("state"))
			}
			ana.thatWasAll()
		})
	}
}

// TestTokenRefusedOnce: a send answered with 190 makes the program unready and
// keeps the answer. The wait before the next try is 30 s.
func TestTokenRefusedOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t, simulator.UserSpec{Phone: "34600111222"})
	b.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: 190, Times: 1}
	})
	ana.writes("hi")
	b.logs("turn.deferred", 1)
	require.Equal(t, "denied", b.events("turn.deferred")[0].str("reason"))
	r := b.get(t, "http://"+b.addr+"/ready")
	require.Equal(t, http.StatusServiceUnavailable, r.code)
	require.Equal(t, `{"status":"failed","checks":{"store":"ok","whatsapp":"failed"}}`, r.body)
	require.Equal(t, 200, b.get(t, "http://"+b.addr+"/live").code, "a restart would not help")
	require.Empty(t, b.sim.Outbound(ana.id))
	ana.hears("You said: hi")
	eventually(t, "the program is ready", func() bool { return b.get(t, "http://"+b.addr+"/ready").code == 200 })
	ana.thatWasAll()
}

// TestTokenIsMended: the operator puts another token into the file; nothing is
// restarted and nothing was lost.
func TestTokenIsMended(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("a-token-that-expired\n"), 0o600))
	b := start(t, settings{"WHATSAPP_ACCESS_TOKEN": "", "WHATSAPP_ACCESS_TOKEN_FILE": file, "REPLY_MODE": "text"})
	ana := b.user(t)
	wamid := ana.writes("hi")
	b.logs("turn.deferred", 1)
	require.Equal(t, http.StatusServiceUnavailable, b.get(t, "http://"+b.addr+"/ready").code)
	require.Equal(t, []string{fmt.Sprintf(`{"status":"accepted","message_id":%q}`, wamid)}, b.webhookAnswers("messages", wamid), "the message was taken")
	luis := b.user(t)
	luis.writes("me too")
	b.logs("turn.deferred", 2)
	require.Empty(t, b.sim.Outbound(ana.id))

	require.NoError(t, os.WriteFile(file, []byte(accessToken+"\n"), 0o600))
	eventually(t, "the program is ready", func() bool { return b.get(t, "http://"+b.addr+"/ready").code == 200 })
	ana.reads("You said: hi")
	luis.reads("You said: me too")
	ana.thatWasAll()
	luis.thatWasAll()
}

// TestAnswerOfWhatsAppIsLost: the send was taken and the connection cut. The status
// tells, and nothing is sent again.
func TestAnswerOfWhatsAppIsLost(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"voice", "text"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b := start(t, settings{"REPLY_MODE": mode})
			b.faults(func(f *simulator.Faults) { f.DropAnswerPercent = 100 })
			ana := b.user(t)
			ana.writes("hi")
			if mode == "voice" {
				ana.hears("You said: hi")
			} else {
				ana.reads("You said: hi")
			}
			b.logs("turn.finished", 1)
			require.NotEmpty(t, b.events("reply.ambiguous"))
			b.faults(noFaults)
			ana.thatWasAll()
		})
	}
}

// TestOutcomeNobodyCanTell: no answer and no status. The setting decides.
func TestOutcomeNobodyCanTell(t *testing.T) {
	t.Parallel()
	for policy, sends := range map[string]int{"at_most_once": 1, "at_least_once": 2} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			b := start(t, settings{"REPLY_MODE": "text", "SEND_POLICY": policy, "SETTLE_WAIT": "1s"})
			b.faults(func(f *simulator.Faults) {
				f.DropAnswerPercent, f.DropStatuses = 100, []string{"sent", "delivered", "read", "played", "failed"}
			})
			ana := b.user(t)
			ana.writes("hi")
			ana.reads("You said: hi")
			b.faults(noFaults)
			for attempt := 2; attempt <= sends; attempt++ {
				_, part, try := reference(t, ana.reads("You said: hi"))
				require.Equal(t, []int{0, attempt}, []int{part, try})
			}
			b.logs("turn.finished", 1)
			ana.thatWasAll()
		})
	}
}

// TestWhatsAppIsDown: every call fails, then the cloud is back.
func TestWhatsAppIsDown(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.faults(func(f *simulator.Faults) { f.ErrorPercent = 100 })
	ana := b.user(t)
	ana.writes("hi")
	b.logs("turn.deferred", 1)
	require.Equal(t, 200, b.get(t, "http://"+b.addr+"/ready").code, "webhooks are still taken, so the traffic stays")
	require.Empty(t, b.sim.Outbound(ana.id))
	b.faults(noFaults)
	ana.reads("You said: hi")
	ana.thatWasAll()
}

// TestWhatsAppIsUnreachable: nothing listens at all.
func TestWhatsAppIsUnreachable(t *testing.T) {
	t.Parallel()
	graph := freeAddress(t)
	b := start(t, settings{"GRAPH_BASE_URL": "http://" + graph})
	ana := b.user(t)
	ana.writes("hi")
	b.logs("turn.deferred", 1)
	b.serveAt(graph)
	ana.reads("You said: hi")
	ana.thatWasAll()
}

// TestDamagedMediaIsNotHeard: a voice note whose bytes are not the ones Meta
// promised is not guessed at.
func TestDamagedMediaIsNotHeard(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.faults(func(f *simulator.Faults) { f.CorruptMediaPercent = 100 })
	ana := b.user(t)
	ana.speaks(recording(t, "how late are you open?"))
	m := ana.gets()
	require.Equal(t, "text", m.Type)
	require.Contains(t, m.Text, "couldn't make out your voice message")
	b.logs("reply.fail", 1)
	require.Contains(t, b.events("reply.fail")[0].str("error"), "the checksum does not match", "it is refused before anybody listens to it")
	b.faults(noFaults)
	ana.thatWasAll()
}

// TestMediaFromElsewhereIsNotFetched: neither the address in the webhook nor a
// redirect leads to a host that is not on the list.
func TestMediaFromElsewhereIsNotFetched(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(b *bot){
		"not on the list": func(*bot) {},
		"redirect": func(b *bot) {
			b.faults(func(f *simulator.Faults) { f.MediaHostRedirect = "169.254.169.254" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := settings{}
			if name == "not on the list" {
				env["MEDIA_HOSTS"] = "media.example.com"
			}
			b := start(t, env)
			prepare(b)
			ana := b.user(t)
			ana.speaks(recording(t, "how late are you open?"))
			m := ana.gets()
			require.Equal(t, "text", m.Type)
			require.Zero(t, b.sim.Counts().Downloads)
			require.NotContains(t, m.Text, "how late")
			b.faults(noFaults)
			ana.thatWasAll()
		})
	}
}
