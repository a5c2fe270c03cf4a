package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// Markers are planted where people and operators put what is nobody's business.
const (
	markPhone      = "34699887766"
	markName       = "Zephyrine Quillmark"
	markUsername   = "zephyrine.q"
	markUserID     = "ES.13498877665544332211"
	markText       = "xylophone-in-the-attic"
	markTranscript = "marimba-in-the-cellar"
	markToken      = "EAAG-marked-access-token"
	markSecret     = "marked-app-secret-5f2c"
	markVerify     = "marked-verify-token-77"
	markStray      = "marked-stray-value"
)

// markers are all that must not be found, in each spelling it may have.
func markers(more ...string) []string {
	marks := append([]string{
		markPhone, markName, "Zephyrine", markUsername, markUserID, markText, markTranscript, markToken, markSecret, markVerify, markStray,
	}, more...)
	for _, m := range marks {
		marks = append(marks, url.QueryEscape(m), base64.StdEncoding.EncodeToString([]byte(m)))
	}
	return marks
}

func clean(t *testing.T, where, what string, marks []string) {
	t.Helper()
	for _, m := range marks {
		if at := strings.Index(what, m); at >= 0 {
			t.Errorf("%s shows %q: ...%s...", where, m, what[max(0, at-300):min(len(what), at+300)])
		}
	}
}

// TestNothingPersonalIsShown goes through success and every kind of trouble with the
// most talkative log there is, and reads all that came out.
func TestNothingPersonalIsShown(t *testing.T) {
	t.Parallel()
	collector := newCollector(t)
	b, admin := privateBot(t, settings{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"})
	zephyrine := b.user(t, simulator.UserSpec{Name: markName, Phone: markPhone, UserID: markUserID, Username: markUsername})
	var errorBodies strings.Builder
	keep := func(r response) {
		if r.code != 200 {
			errorBodies.WriteString(r.body + "\n")
		}
	}

	// By hand and by mouth, first past vendors that fail, then with success.
	for range 5 {
		zephyrine.writes(markText)
		zephyrine.gets()
		zephyrine.speaks(recording(t, markTranscript))
		zephyrine.gets()
	}
	require.NotEmpty(t, b.events("turn.fallback"))
	require.NotEmpty(t, b.events("tts.ok"))

	// Requests that are refused, each with something in it.
	u := zephyrine.card()
	good := envelope("messages", from(u, text(u, "wamid.X", markText)))
	keep(b.post(t, strings.NewReader(good), "sha256="+markStray))
	keep(b.post(t, strings.NewReader(good), simulator.Sign(accessToken, []byte(good))))
	signed := func(body string) response {
		return b.post(t, strings.NewReader(body), simulator.Sign(markSecret, []byte(body)))
	}
	keep(signed(good[:len(good)-3]))
	keep(signed(`{"object":"` + markText + `","entry":"` + markPhone + `"}`))
	keep(signed(markText))
	keep(signed(envelope("account_update", `{"`+markName+`":"`+markText+`"}`)))
	keep(signed(envelope("messages", strings.Replace(from(u, text(u, "wamid.Y", markText)), `"timestamp":"`, `"timestamp":"`+markText, 1))))
	hook := "http://" + b.addr + "/webhook"
	keep(b.get(t, hook+"?hub.mode=subscribe&hub.challenge=1&hub.verify_token="+markStray))
	keep(b.get(t, hook+"?hub.mode=wrong&hub.challenge=1&hub.verify_token="+markVerify))
	keep(b.get(t, "http://"+b.addr+"/"+markStray+"?phone="+markPhone))
	require.NoError(t, b.sim.VerifyWebhook(t.Context()))

	// Messages of other kinds.
	zephyrine.sends(simulator.Contacts(markName, markPhone))
	zephyrine.gets()
	zephyrine.sends(map[string]any{"type": markText, markText: map[string]any{markName: markPhone}})
	zephyrine.gets()
	zephyrine.sends(simulator.SystemNumberChanged(markName, markPhone, markPhone))
	_, err := b.sim.SendFile(zephyrine.id, simulator.File{MIME: "application/pdf", Data: []byte("%PDF"), Filename: markStray + ".pdf", Caption: markText})
	require.NoError(t, err)
	zephyrine.gets()

	// Errors of the Graph API: of the media, of the send, late, and of the token.
	b.faults(func(f *simulator.Faults) { f.CorruptMediaPercent = 100 })
	zephyrine.speaks(recording(t, markTranscript))
	zephyrine.gets()
	b.faults(func(f *simulator.Faults) {
		f.CorruptMediaPercent = 0
		f.ErrorByRecipient[markPhone] = simulator.RecipientError{Code: 131026, Times: 1}
	})
	zephyrine.writes(markText)
	b.wait(t, "the send is refused", func(v simulator.Snapshot) bool { return v.Counts().Refused == 1 })
	b.faults(func(f *simulator.Faults) { f.LateFailureCode = 131053 })
	zephyrine.writes(markText)
	zephyrine.gets()
	zephyrine.gets()
	b.faults(func(f *simulator.Faults) { f.LateFailureCode, f.DropAnswerPercent = 0, 100 })
	zephyrine.writes(markText)
	zephyrine.gets()
	b.faults(func(f *simulator.Faults) {
		f.DropAnswerPercent = 0
		f.ErrorByRecipient[markPhone] = simulator.RecipientError{Code: 190, Times: 1}
	})
	zephyrine.writes(markText)
	b.wait(t, "the token is refused", func(v simulator.Snapshot) bool { return v.Counts().Refused == 2 })
	b.idle()
	eventually(t, "the operator is told", func() bool {
		r := b.get(t, "http://"+admin+"/ready")
		keep(r)
		keep(b.get(t, "http://"+b.addr+"/ready"))
		return r.code == 503
	})
	metrics := b.get(t, "http://"+admin+"/metrics").body
	b.stop()

	// A token that was never good.
	b.faults(noFaults)
	b.restart(settings{"WHATSAPP_ACCESS_TOKEN": markToken + markStray})
	luis := b.user(t, simulator.UserSpec{Name: markName, Phone: "34600555444"})
	luis.speaks(recording(t, markTranscript))
	luis.writes(markText)
	eventually(t, "the operator is told", func() bool {
		r := b.get(t, "http://"+admin+"/ready")
		keep(r)
		return r.code == 503
	})
	metrics += b.get(t, "http://"+admin+"/metrics").body
	b.stop()

	ids := []string{"34600555444"}
	for _, who := range []*user{zephyrine, luis} {
		for _, m := range b.sim.Messages(who.id) {
			ids = append(ids, m.ID)
			var raw struct {
				Audio struct{ URL string }
			}
			if json.Unmarshal(m.Raw, &raw) == nil && raw.Audio.URL != "" {
				ids = append(ids, raw.Audio.URL[strings.LastIndex(raw.Audio.URL, "/"):])
			}
		}
	}
	marks := markers(ids...)
	out := b.stdout.text()
	require.Greater(t, strings.Count(out, "\n"), 60, "the log is there")
	clean(t, "stdout", out, marks)
	clean(t, "stderr", b.stderr.text(), marks)
	require.Greater(t, strings.Count(errorBodies.String(), "\n"), 8)
	clean(t, "an answer", errorBodies.String(), marks)
	require.Greater(t, strings.Count(metrics, "whatsapp_node_"), 300)
	clean(t, "the metrics", metrics, marks)
	for _, name := range []string{"webhook", "turn", "chat", "speech_to_text", "text_to_speech", "upload", "send", "failed"} {
		require.NotEmpty(t, collector.all(name), name)
	}
	clean(t, "a trace", collector.bytes(), marks)
}

// privateBot is a bot whose own secrets are markers, too.
func privateBot(t *testing.T, more ...settings) (b *bot, admin string) {
	t.Helper()
	admin = freeAddress(t)
	b = prepareAs(t, account{markToken, markSecret, markVerify}, append([]settings{{
		"ADMIN_ADDR": admin, "FAKE_KNOBS": "error=transient:2", "LOG_HASH_KEY": markStray,
		"WHATSAPP_ACCES_TOKEN": markStray, // misspelt, as it happens
	}}, more...)...)
	b.restart()
	return b, admin
}
