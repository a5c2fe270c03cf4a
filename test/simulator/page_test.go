package simulator_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func (w *world) page(method, path, body string) answer {
	w.t.Helper()
	req := w.request(method, path, strings.NewReader(body))
	req.Header.Del("Authorization")
	return w.do(req)
}

func TestPageIsServedWithItsPolicy(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/phone/app.js"} {
		a := w.page(http.MethodGet, path, "")
		if a.status == http.StatusNotFound && path != "/" {
			continue // the page's files are its own matter
		}
		require.Equal(t, http.StatusOK, a.status)
		csp := a.header.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'")
		require.Contains(t, csp, "script-src 'self'")
		require.Contains(t, csp, "media-src 'self' blob: data:")
		require.NotContains(t, csp, "unsafe")
		require.Contains(t, a.header.Get("Permissions-Policy"), "microphone=(self)")
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	}
	require.Contains(t, w.page(http.MethodGet, "/", "").header.Get("Content-Type"), "text/html")
}

func TestPageStateAndUsers(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.BusinessName = "Shop"; c.Notices = []string{"demo engines"} })
	a := w.page(http.MethodPost, "/sim/users", `{"name":"Ana","phone":"34600111222"}`)
	require.Equal(t, http.StatusCreated, a.status)
	require.Equal(t, "u1", a.body["id"])
	require.Equal(t, http.StatusBadRequest, w.page(http.MethodPost, "/sim/users", `{"phone":"34600111222"}`).status)
	require.Equal(t, http.StatusBadRequest, w.page(http.MethodPost, "/sim/users", `{"colour":"red"}`).status)

	a = w.page(http.MethodPost, "/sim/users/u1/messages", `{"type":"text","text":{"body":"hi"},"context":{"id":"wamid.z"}}`)
	require.Equal(t, http.StatusCreated, a.status)
	require.Equal(t, "hi", a.body["text"])
	require.Equal(t, "in", a.body["direction"])
	require.Equal(t, "wamid.z", a.body["context_id"])
	w.idle()

	var state struct {
		Business map[string]string
		Notices  []string
		Users    []simulator.User
		Messages map[string][]simulator.Message
		Faults   simulator.Faults
		Timeline []simulator.TL
	}
	require.NoError(t, json.Unmarshal(w.page(http.MethodGet, "/sim/state", "").raw, &state))
	require.Equal(t, map[string]string{"name": "Shop", "phone": "15550100200", "phone_number_id": "106500000000001"}, state.Business)
	require.Equal(t, []string{"demo engines"}, state.Notices)
	require.Len(t, state.Users, 1)
	require.Len(t, state.Messages["u1"], 1)
	require.Equal(t, simulator.StatusDelivered, state.Messages["u1"][0].Status)
	require.Equal(t, w.Faults(), state.Faults)
	require.NotNil(t, state.Timeline)
}

func TestPageErrorsArePlainSentences(t *testing.T) {
	w := newWorld(t, nil)
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
	}{
		"unknown user":    {"POST", "/sim/users/u9/messages", `{"type":"text","text":{"body":"x"}}`, 404},
		"no type":         {"POST", "/sim/users/u9/messages", `{}`, 400},
		"no JSON":         {"POST", "/sim/users", `{`, 400},
		"too large":       {"POST", "/sim/users", `{"name":"` + strings.Repeat("a", 1<<20) + `"}`, 413},
		"unknown call":    {"GET", "/sim/nothing", ``, 404},
		"unknown file":    {"GET", "/sim/files/1", ``, 404},
		"unknown message": {"POST", "/sim/users/u1/read", `{"message_ids":["x"]}`, 404},
		"bad fault":       {"PUT", "/sim/faults", `{"batch_size":0}`, 400},
		"unknown fault":   {"PUT", "/sim/faults", `{"chaos":1}`, 400},
		"not multipart":   {"POST", "/sim/users/u1/media", `x`, 400},
	} {
		a := w.page(tc.method, tc.path, tc.body)
		require.Equal(t, tc.status, a.status, name)
		require.NotEmpty(t, a.body["error"], name)
	}
}

func TestOtherSitesCannotDriveTheSimulator(t *testing.T) {
	w := newWorld(t, nil)
	req := w.request(http.MethodPost, "/sim/users", strings.NewReader(`{}`))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, w.do(req).status)
	require.Empty(t, w.Users())
}

func TestPageFaults(t *testing.T) {
	w := newWorld(t, nil)
	a := w.page(http.MethodPut, "/sim/faults", `{"duplicate_percent":10,"drop_statuses":["read"]}`)
	require.Equal(t, http.StatusOK, a.status)
	want := simulator.DefaultFaults()
	want.DuplicatePercent, want.DropStatuses = 10, []string{"read"}
	require.Equal(t, want, w.Faults())
	var got simulator.Faults
	require.NoError(t, json.Unmarshal(w.page(http.MethodGet, "/sim/faults", "").raw, &got))
	require.Equal(t, want, got)
}

func TestPageReadAndPlayed(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.uploaded(oggOpus(1, 10, 0), "audio/ogg")
	voice := w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).wamid()
	w.idle()
	require.Equal(t, 200, w.page(http.MethodPost, "/sim/users/u1/read", `{"message_ids":["`+voice+`"]}`).status)
	require.Equal(t, 200, w.page(http.MethodPost, "/sim/users/u1/played", `{"message_id":"`+voice+`"}`).status)
	w.idle()
	require.Equal(t, []string{"sent", "delivered", "read", "played"}, w.bot.statusNames())
}

func (w *world) pageUpload(user, mime, filename string, data []byte, fields map[string]string) answer {
	w.t.Helper()
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	for k, v := range fields {
		require.NoError(w.t, form.WriteField(k, v))
	}
	h := map[string][]string{"Content-Disposition": {`form-data; name="file"; filename="` + filename + `"`}, "Content-Type": {mime}}
	part, err := form.CreatePart(h)
	require.NoError(w.t, err)
	_, _ = part.Write(data)
	require.NoError(w.t, form.Close())
	req := w.request(http.MethodPost, "/sim/users/"+user+"/media", &buf)
	req.Header.Set("Content-Type", form.FormDataContentType())
	return w.do(req)
}

func TestPageSendsFilesAndPlaysThem(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	sound := oggOpus(1, 100, 0)
	a := w.pageUpload(u.ID, "audio/ogg", "v.ogg", sound, map[string]string{"voice": "true"})
	require.Equal(t, http.StatusCreated, a.status, string(a.raw))
	media := a.body["media"].(map[string]any)
	require.Equal(t, true, media["voice"])
	require.EqualValues(t, 1993, media["duration_ms"])

	path := "/sim/files/" + media["id"].(string)
	got := w.page(http.MethodGet, path, "")
	require.Equal(t, "audio/ogg; codecs=opus", got.header.Get("Content-Type"))
	require.True(t, bytes.Equal(sound, got.raw))
	require.Contains(t, got.header.Get("Content-Security-Policy"), "sandbox")
	req := w.request(http.MethodGet, path, nil)
	req.Header.Set("Range", "bytes=4-7")
	got = w.do(req)
	require.Equal(t, http.StatusPartialContent, got.status)
	require.Equal(t, sound[4:8], got.raw)

	a = w.pageUpload(u.ID, "application/pdf", "x.pdf", []byte("%PDF"), map[string]string{"caption": "see", "filename": "../Año.pdf"})
	require.Equal(t, http.StatusCreated, a.status)
	require.Equal(t, "document", a.body["type"])
	require.Equal(t, "see", a.body["text"])
	media = a.body["media"].(map[string]any)
	require.Equal(t, "Año.pdf", media["filename"])
	got = w.page(http.MethodGet, "/sim/files/"+media["id"].(string)+"?download=1", "")
	require.Equal(t, "attachment; filename*=UTF-8''A%C3%B1o.pdf", got.header.Get("Content-Disposition"))

	a = w.pageUpload(u.ID, "application/octet-stream", "cat.png", []byte("\x89PNG"), nil)
	require.Equal(t, "image", a.body["type"])
	require.Equal(t, http.StatusBadRequest, w.pageUpload(u.ID, "image/png", "cat.png", nil, nil).status)
}

// wavFile is 16-bit PCM with the chunks that recorders and editors leave behind.
func wavFile(channels, rate int, seconds float64, dataSize uint32, list bool) []byte {
	samples := make([]byte, int(float64(rate)*seconds)*channels*2)
	for i := 0; i < len(samples); i += 2 {
		binary.LittleEndian.PutUint16(samples[i:], uint16(int16((i*37)%4000-2000)))
	}
	if dataSize == 0 {
		dataSize = uint32(len(samples))
	} else if dataSize == 1 {
		dataSize = 0
	}
	b := []byte("RIFF\xff\xff\xff\xffWAVE")
	if list {
		b = append(b, "LIST\x05\x00\x00\x00INFO!\x00"...)
	}
	b = append(b, "fmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*2))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*2))
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, dataSize)
	b = append(b, samples...)
	if list && dataSize == uint32(len(samples)) {
		b = append(b, "LIST\xff\x00\x00\x00"...)
	}
	return b
}

func TestWAVBecomesAVoiceNote(t *testing.T) {
	if _, err := exec.LookPath("opusenc"); err != nil {
		t.Skip("opusenc (opus-tools) is not installed")
	}
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	for name, wav := range map[string][]byte{
		"plain mono":                wavFile(1, 16000, 1.5, 0, false),
		"stereo 44.1 kHz":           wavFile(2, 44100, 1.5, 0, false),
		"lists around the sound":    wavFile(1, 48000, 1.5, 0, true),
		"size never written":        wavFile(1, 16000, 1.5, 1, false),
		"size of an endless stream": wavFile(1, 16000, 1.5, 0xffffffff, false),
	} {
		t.Run(name, func(t *testing.T) {
			a := w.pageUpload(u.ID, "audio/wav", "v.wav", wav, map[string]string{"voice": "true"})
			require.Equal(t, http.StatusCreated, a.status, string(a.raw))
			media := a.body["media"].(map[string]any)
			require.Equal(t, "audio/ogg; codecs=opus", media["mime_type"])
			require.InDelta(t, 1500, media["duration_ms"], 30)
			ogg := w.page(http.MethodGet, "/sim/files/"+media["id"].(string), "").raw
			require.Equal(t, byte(1), ogg[bytes.Index(ogg, []byte("OpusHead"))+9], "mono")
		})
	}
}

func TestSoundThatCannotBecomeAVoiceNote(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	send := func(data []byte) answer {
		return w.pageUpload(u.ID, "audio/webm", "v", data, map[string]string{"voice": "true"})
	}
	a := send([]byte("\x1aE\xdf\xa3 webm"))
	require.Equal(t, http.StatusUnsupportedMediaType, a.status)
	require.Contains(t, a.body["error"], "opusenc")
	require.Equal(t, http.StatusUnsupportedMediaType, send([]byte("RIFF\x00\x00\x00\x00WAVEfmt ")).status)

	t.Setenv("PATH", t.TempDir())
	a = send(wavFile(1, 16000, 0.1, 0, false))
	require.Equal(t, http.StatusUnsupportedMediaType, a.status)
	require.Contains(t, a.body["error"], "opus-tools")
	require.Empty(t, w.Messages(u.ID))
}

func TestLogAsJSONLines(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.reply(u, "x")
	w.post(`{}`)
	w.idle()
	a := w.page(http.MethodGet, "/sim/log", "")
	require.Equal(t, "application/x-ndjson", a.header.Get("Content-Type"))
	lines := bufio.NewScanner(bytes.NewReader(a.raw))
	var kinds []string
	for seq := uint64(1); lines.Scan(); seq++ {
		var e simulator.Entry
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		require.Equal(t, seq, e.Seq)
		kinds = append(kinds, e.Kind)
	}
	require.Len(t, kinds, len(w.Log()))
	require.Equal(t, []string{"inbound", "webhook", "send"}, kinds[:3])
	require.Contains(t, kinds, "send_refused")
	require.Contains(t, kinds, "status")
}

// stream is a page that listens to /sim/events.
type stream struct {
	t     *testing.T
	body  io.ReadCloser
	lines *bufio.Scanner
}

type sse struct {
	id, name, data string
}

func (w *world) listen(path, lastID string) *stream {
	w.t.Helper()
	req := w.request(http.MethodGet, path, nil)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(w.t, err)
	require.Equal(w.t, "text/event-stream", resp.Header.Get("Content-Type"))
	s := &stream{w.t, resp.Body, bufio.NewScanner(resp.Body)}
	w.t.Cleanup(s.close)
	return s
}

func (s *stream) close() { _ = s.body.Close() }

func (s *stream) next() (e sse) {
	s.t.Helper()
	for s.lines.Scan() {
		key, val, _ := strings.Cut(s.lines.Text(), ": ")
		switch key {
		case "id":
			e.id = val
		case "event":
			e.name = val
		case "data":
			e.data = val
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	s.t.Fatal("the stream ended")
	return e
}

func TestEventsAndReconnect(t *testing.T) {
	w := newWorld(t, nil)
	s := w.listen("/sim/events", "")
	u := w.user(simulator.UserSpec{Name: "Ana"})
	e := s.next()
	require.Equal(t, "user", e.name)
	require.Contains(t, e.data, `"name":"Ana"`)
	w.says(u, "hi")
	require.Equal(t, "message", s.next().name)
	webhook := s.next()
	for webhook.name != "webhook" {
		webhook = s.next()
	}
	require.Contains(t, webhook.data, `"kind":"messages"`)
	require.Contains(t, webhook.data, `"status":200`)
	s.close()
	w.idle()

	w.Timeline(simulator.TL{Turn: "t1", Stage: "received", MessageIDs: []string{w.Messages(u.ID)[0].ID}})
	w.now.advance(1500 * 1e6)
	w.Timeline(simulator.TL{Turn: "t1", Stage: "answered"})
	require.NoError(t, w.SetFaults(simulator.DefaultFaults()))
	w.SetNotices([]string{"n"})

	again := w.listen("/sim/events", e.id) // what came after the first event, nothing lost, nothing twice
	var names []string
	last, err := strconv.ParseUint(e.id, 10, 64)
	require.NoError(t, err)
	for {
		got := again.next()
		id, err := strconv.ParseUint(got.id, 10, 64)
		require.NoError(t, err)
		require.Equal(t, last+1, id)
		last = id
		names = append(names, got.name)
		if got.name == "timeline" {
			var tl simulator.TL
			require.NoError(t, json.Unmarshal([]byte(got.data), &tl))
			if tl.Stage == "received" {
				require.Equal(t, u.ID, tl.User)
			} else {
				require.EqualValues(t, 1500, tl.MS)
			}
		}
		if got.name == "reset" {
			break
		}
	}
	require.Equal(t, []string{"timeline", "timeline", "faults", "reset"}, names[len(names)-4:])
}

func TestEventsOfAnotherProcessOrTooOldAreReset(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	for _, last := range []string{"999999", "garbage"} {
		require.Equal(t, "reset", w.listen("/sim/events", last).next().name)
	}
	for range 4200 { // more than the ring holds
		w.Timeline(simulator.TL{Turn: "t", User: u.ID, Stage: "x"})
	}
	require.Equal(t, "reset", w.listen("/sim/events?last_event_id=1", "").next().name)
	require.Len(t, w.timeline(), 1000)
}

func (w *world) timeline() (out []any) {
	return w.page(http.MethodGet, "/sim/state", "").body["timeline"].([]any)
}

func TestEventStreamsEndWithTheSimulator(t *testing.T) {
	w := newWorld(t, nil)
	s := w.listen("/sim/events", "")
	require.NoError(t, w.Close())
	_, err := io.Copy(io.Discard, s.body)
	require.NoError(t, err)
}

func TestStreamStaysAliveAndTypingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := inBubble(t, simulator.Config{})
		u, _ := sim.AddUser(simulator.UserSpec{})
		id, err := sim.SendText(u.ID, "x")
		require.NoError(t, err)
		handler := sim.Handler()
		ctx, leave := context.WithCancel(t.Context())
		page, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(done)
			handler.ServeHTTP(page, httptest.NewRequestWithContext(ctx, http.MethodGet, "/sim/events", nil))
		}()
		synctest.Wait()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v26.0/"+sim.Config().PhoneNumberID+"/messages",
			strings.NewReader(`{"messaging_product":"whatsapp","status":"read","message_id":"`+id+`","typing_indicator":{"type":"text"}}`))
		r.Header.Set("Authorization", "Bearer "+sim.Config().AccessToken)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		time.Sleep(24 * time.Second)
		synctest.Wait()
		sim.View(func(v simulator.Snapshot) { require.True(t, v.Typing(u.ID)) })
		time.Sleep(7 * time.Second)
		synctest.Wait()
		leave()
		<-done
		text := page.Body.String()
		require.Contains(t, text, `"on":true`)
		require.Contains(t, text, `"on":false`)
		require.Equal(t, 2, strings.Count(text, ": keep-alive\n\n"))
		require.NoError(t, sim.Close())
	})
}
