package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestTextIsAnsweredWithAVoiceNote(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	wamid := ana.writes("hi")
	note := ana.hears("You said: hi")

	s := body(t, note)
	require.Equal(t, "whatsapp", s.Product)
	require.Equal(t, "individual", s.RecipientType)
	require.Equal(t, "+34600111222", s.To)
	require.Empty(t, s.Recipient)
	require.Equal(t, map[string]any{"id": note.Media.ID, "voice": true}, s.Audio)
	require.Nil(t, s.Context, "nothing else was asked meanwhile, so nothing is quoted")
	_, part, attempt := reference(t, note)
	require.Equal(t, []int{0, 1}, []int{part, attempt})
	require.NotContains(t, s.Callback, "34600111222")

	uploads := b.entries(simulator.LogUpload)
	require.Len(t, uploads, 1)
	require.Equal(t, "audio/ogg", uploads[0].Type)
	require.Equal(t, []string{note.Media.ID}, uploads[0].IDs)
	require.Less(t, note.Media.Size, 512<<10)
	validOpus(t, b.file(t, note))

	ana.thatWasAll()
	b.logs("turn.finished", 2)
	lines := b.log()
	for _, event := range []string{"webhook.received", "llm.ok", "tts.ok", "reply.sending", "reply.sent", "turn.finished"} {
		require.Equal(t, 2, count(lines, event), event)
	}
	for _, m := range b.sim.Messages(ana.id) {
		if m.ID == wamid {
			require.True(t, m.Blue, "the message was marked as read")
		}
	}
}

// validOpus asks a tool that shares nothing with the bot.
func validOpus(t *testing.T, clip []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "note.ogg")
	require.NoError(t, os.WriteFile(path, clip, 0o600))
	out, err := exec.Command("opusinfo", path).CombinedOutput()
	require.NoError(t, err, "opusinfo (Debian package opus-tools): %s", out)
	require.Contains(t, string(out), "Channels: 1")
	require.NotRegexp(t, regexp.MustCompile(`(?i)warning|error|invalid`), string(out))
}

func TestVoiceIsAnsweredWithAVoiceNote(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	wamid := ana.speaks(recording(t, "how late are you open?"))
	ana.hears("You said: how late are you open?")
	require.Equal(t, 1, b.sim.Counts().Downloads)
	require.Equal(t, []string{fmt.Sprintf(`{"status":"accepted","message_id":%q}`, wamid)}, b.webhookAnswers("messages", wamid))
	ana.thatWasAll()
}

// TestRealRecordingIsAnswered uses speech that another program encoded.
func TestRealRecordingIsAnswered(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	ana.speaks(spoken(t, "how late are you open tomorrow"))
	m := ana.gets()
	require.Equal(t, "audio", m.Type)
	require.Regexp(t, `^You said: \[voice message of [1-9] seconds\]$`, ana.listen(m))
	ana.thatWasAll()
}

// spoken is a voice note of a synthetic voice, as a phone would encode it.
func spoken(t *testing.T, words string) []byte {
	t.Helper()
	wav := filepath.Join(t.TempDir(), "speech.wav")
	out, err := exec.Command("flite", "-t", words, "-o", wav).CombinedOutput()
	require.NoError(t, err, "flite: %s", out)
	var ogg, errOut bytes.Buffer
	enc := exec.Command("opusenc", "--quiet", "--downmix-mono", wav, "-")
	enc.Stdout, enc.Stderr = &ogg, &errOut
	require.NoError(t, enc.Run(), "opusenc (Debian package opus-tools): %s", errOut.String())
	return ogg.Bytes()
}

// TestOfflineEnginesHearAndSpeak runs the engines a newcomer gets without any key.
func TestOfflineEnginesHearAndSpeak(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"LLM_PROVIDER": "", "STT_PROVIDER": "", "TTS_PROVIDER": "", "TURN_TIMEOUT": "5m"})
	require.Len(t, b.events("demo"), 1, "the log says that demo engines are at work")
	ana := b.user(t)
	ana.speaks(spoken(t, "hello can you help me please"))
	m := ana.gets()
	require.Equal(t, "audio", m.Type, "%s", m.Raw)
	require.Less(t, m.Media.Size, 512<<10)
	validOpus(t, b.file(t, m))
	b.logs("stt.ok", 1)
}

func TestReplyModes(t *testing.T) {
	t.Parallel()
	const text, voice = "text", "voice"
	for _, tt := range []struct {
		mode          string
		toText, toOgg []string
	}{
		{"text", []string{text}, []string{text}},
		{"mirror", []string{text}, []string{voice}},
		{"both", []string{voice, text}, []string{voice, text}},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			b := start(t, settings{"REPLY_MODE": tt.mode})
			ana := b.user(t)
			expect := func(words string, forms []string) {
				t.Helper()
				for i, form := range forms {
					m := simulator.Message{}
					if form == voice {
						m = ana.hears(words)
					} else {
						m = ana.reads(words)
					}
					_, part, _ := reference(t, m)
					require.Equal(t, i, part)
				}
			}
			ana.writes("by hand")
			expect("You said: by hand", tt.toText)
			ana.speaks(recording(t, "by mouth"))
			expect("You said: by mouth", tt.toOgg)
			b.idle()
			require.Len(t, b.sim.Outbound(ana.id), ana.seen)
		})
	}
}

func TestAnswersAboveTheLimitOfWhatsAppAreSplit(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "tokens=2500", "MAX_ANSWER_CHARS": "0"})
	ana := b.user(t)
	ana.writes("Tell me 日本語 everything 🙂")
	var words []string
	turn := ""
	for part := 0; len(words) < 2500; part++ {
		m := ana.gets()
		require.Equal(t, "text", m.Type)
		require.LessOrEqual(t, utf8.RuneCountInString(m.Text), 4096)
		of, at, _ := reference(t, m)
		require.Equal(t, part, at, "the parts come in their order")
		require.True(t, part == 0 || of == turn, "the parts are of one turn")
		turn, words = of, append(words, strings.Fields(m.Text)...)
	}
	require.Len(t, words, 2500, "no word is lost or cut")
	require.Equal(t, "You said: Tell me 日本語 everything 🙂", strings.Join(words[:7], " "))
	require.Greater(t, ana.seen, 1)
	require.Zero(t, b.sim.Counts().Uploads, "an answer of that length is not spoken")
	b.idle()
	require.Len(t, b.sim.Outbound(ana.id), ana.seen)
}

// TestReadAndTypingComeBeforeTheAnswer: the ticks turn blue and the bot is seen
// typing while it thinks.
func TestReadAndTypingComeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "ttft=1s"})
	ana := b.user(t)
	wamid := ana.writes("hi")
	b.wait(t, "the bot types", func(v simulator.Snapshot) bool { return v.Typing(ana.id) })
	require.Empty(t, b.sim.Outbound(ana.id))
	ana.hears("You said: hi")
	typing, sends := b.entries(simulator.LogTyping), b.entries(simulator.LogSend)
	require.Len(t, typing, 1)
	require.Equal(t, []string{wamid}, typing[0].IDs)
	require.Less(t, typing[0].Seq, sends[0].Seq)
	b.sim.View(func(v simulator.Snapshot) {
		require.False(t, v.Typing(ana.id), "the indicator is gone with the answer")
		m, _ := v.Message(wamid)
		require.True(t, m.Blue)
	})
}

// TestEveryUserIsAnsweredOnceAndInOrder sends more than the bot answers at once,
// in batches, and again while it answers.
func TestEveryUserIsAnsweredOnceAndInOrder(t *testing.T) {
	t.Parallel()
	const users, messages = 8, 5
	b := start(t, settings{"REPLY_MODE": "text", "FAKE_KNOBS": "ttft=5ms", "WORKERS": "4"})
	b.faults(func(f *simulator.Faults) { f.BatchSize = 4 })
	people := make([]*user, users)
	for i := range people {
		people[i] = b.user(t)
	}
	var ids []string
	for n := range messages {
		for _, p := range people {
			ids = append(ids, p.writes(fmt.Sprintf("<%s:%d>", p.id, n)))
		}
	}
	b.wait(t, "everything is taken", func(v simulator.Snapshot) bool { return v.Counts().InboundDelivered == len(ids) })
	for _, id := range ids {
		require.NoError(t, b.sim.Redeliver(id))
	}
	token := regexp.MustCompile(`<(u\d+):(\d+)>`)
	for _, p := range people {
		next := 0
		for next < messages {
			for _, found := range token.FindAllStringSubmatch(p.gets().Text, -1) {
				require.Equal(t, []string{p.id, strconv.Itoa(next)}, found[1:])
				next++
			}
		}
		p.thatWasAll()
	}
}

func TestMessagesTheBotCannotUse(t *testing.T) {
	t.Parallel()
	b := start(t)
	file := func(mime string) func(t *testing.T, u *user) {
		return func(t *testing.T, u *user) {
			f := simulator.File{MIME: mime, Data: []byte("\xff\xd8\xff\xe0 what the bot does not look at"), Filename: "a.bin"}
			if mime == "image/webp" {
				f.Type = "sticker"
			}
			_, err := u.b.sim.SendFile(u.id, f)
			require.NoError(t, err)
		}
	}
	send := func(content any) func(t *testing.T, u *user) {
		return func(_ *testing.T, u *user) { u.sends(content) }
	}
	for _, tt := range []struct {
		name string
		send func(t *testing.T, u *user)
		says string // in the polite sentence
	}{
		{"image", file("image/jpeg"), "picture"},
		{"video", file("video/mp4"), "video"},
		{"document", file("application/pdf"), "file"},
		{"sticker", file("image/webp"), "sticker"},
		{"a poll", send(simulator.Unsupported("poll_creation")), "this kind of message"},
		{"unavailable", send(simulator.Unavailable()), "this kind of message"},
		{"a type nobody knows", send(map[string]any{"type": "hologram", "hologram": map[string]any{"depth": 3}}), "this kind of message"},
		{"a voice note Meta could not store", send(simulator.Undownloadable("audio")), "your voice message"},
		{"an empty text", send(simulator.Text("  ")), "empty message"},
		{"silence", func(t *testing.T, u *user) { u.speaks(recording(t, "")) }, "your voice message"},
		{"a voice note that is no sound", func(_ *testing.T, u *user) { u.speaks([]byte("OggS but then nothing of the kind")) }, "your voice message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := b.user(t)
			tt.send(t, u)
			m := u.gets()
			require.Equal(t, "text", m.Type, "the bot's own sentences are written")
			require.Contains(t, m.Text, tt.says)
			require.NotEqual(t, fallback, m.Text)
			u.thatWasAll()
		})
	}
	for _, e := range b.entries(simulator.LogWebhook) {
		require.Equal(t, 200, e.HTTPStatus)
	}
}

func TestMessagesWithMoreThanWords(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text"})
	hi := func(u *user) string {
		id := u.writes("hi")
		u.reads("You said: hi")
		return id
	}
	for _, tt := range []struct {
		name    string
		content func(u *user) any
		said    []string
	}{
		{"location", func(*user) any { return simulator.Location(41.4, 2.17, "Harbour", "Pier 1") }, []string{"Harbour", "Pier 1", "41.4"}},
		{"contacts", func(*user) any { return simulator.Contacts("Rita Moreno", "34600999888") }, []string{"Rita Moreno"}},
		{"button", func(u *user) any { return simulator.ButtonReply(hi(u), "yes-id", "Yes, please") }, []string{"Yes, please"}},
		{"list", func(u *user) any { return simulator.ListReply(hi(u), "row", "Paella", "for two") }, []string{"Paella", "for two"}},
		{"template button", func(u *user) any { return simulator.Button(hi(u), "payload", "Show more") }, []string{"Show more"}},
		{"flow", func(u *user) any { return simulator.FlowReply(hi(u), `{"seats":4}`) }, []string{`{"seats":4}`}},
		{"order", func(*user) any { return simulator.Order("cat", "sku-7", "soon please", 2, 5, "EUR") }, []string{"sku-7", "2", "EUR", "soon please"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := b.user(t)
			u.sends(tt.content(u))
			m := u.gets()
			for _, words := range tt.said {
				require.Contains(t, m.Text, words)
			}
			u.thatWasAll()
		})
	}
}

func TestEventsStartNoTurn(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	first := ana.writes("hi")
	answer := ana.hears("You said: hi")
	ids := []string{
		ana.sends(simulator.Reaction(answer.ID, "👍")),
		ana.sends(simulator.ReactionRemoved(answer.ID, true)),
		ana.sends(simulator.ReactionRemoved(answer.ID, false)),
		ana.sends(simulator.RequestWelcome()),
		ana.sends(simulator.SystemNumberChanged("Ana", ana.card().Phone, ana.card().Phone)),
		ana.sends(simulator.Edit(first, "hello")),
		ana.sends(simulator.Revoke(first)),
	}
	b.idle()
	for _, id := range ids {
		require.Equal(t, []string{fmt.Sprintf(`{"status":"accepted","message_id":%q}`, id)}, b.webhookAnswers("messages", id))
	}
	ana.thatWasAll()
	require.Equal(t, 2, b.sim.Counts().TypingCalls, "nobody types at a reaction")
}
