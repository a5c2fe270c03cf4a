package simulator_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

const (
	token  = "test-token"
	secret = "test_app_secret"
)

// bot is the other end of the wire: it verifies every signature and keeps what it got.
type bot struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []delivery
	answer func(n int) int // status of the n-th POST, from 1; nil: 200
}

type delivery struct {
	body      []byte
	genuine   bool
	header    http.Header
	status    int
	messages  []map[string]any
	statuses  []map[string]any
	contacts  []map[string]any
	fields    []string
	perChange []int // messages in each change
}

func newBot(t *testing.T) *bot {
	b := &bot{}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

func (b *bot) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.URL.Query().Get("hub.verify_token") != "verify-me" || r.URL.Query().Get("hub.mode") != "subscribe" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	d := delivery{body: body, header: r.Header, genuine: r.Header.Get("X-Hub-Signature-256") == "sha256="+hex.EncodeToString(mac.Sum(nil))}
	var envelope struct {
		Entry []struct {
			Changes []struct {
				Field string
				Value struct{ Messages, Statuses, Contacts []map[string]any }
			}
		}
	}
	_ = json.Unmarshal(body, &envelope)
	for _, e := range envelope.Entry {
		for _, c := range e.Changes {
			d.messages = append(d.messages, c.Value.Messages...)
			d.statuses = append(d.statuses, c.Value.Statuses...)
			d.contacts = append(d.contacts, c.Value.Contacts...)
			d.fields = append(d.fields, c.Field)
			d.perChange = append(d.perChange, len(c.Value.Messages))
		}
	}
	b.mu.Lock()
	d.status = http.StatusOK
	if b.answer != nil {
		d.status = b.answer(len(b.posts) + 1)
	}
	if !d.genuine {
		d.status = http.StatusUnauthorized
	}
	b.posts = append(b.posts, d)
	b.mu.Unlock()
	w.WriteHeader(d.status)
	_, _ = io.WriteString(w, `{"status":"accepted"}`)
}

func (b *bot) deliveries() []delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]delivery{}, b.posts...)
}

// texts are the bodies of the text messages in the order in which they were accepted.
func (b *bot) texts() (out []string) {
	for _, d := range b.deliveries() {
		for _, m := range d.messages {
			if text, ok := m["text"].(map[string]any); ok && d.status == http.StatusOK {
				out = append(out, text["body"].(string))
			}
		}
	}
	return out
}

func (b *bot) messages() (out []map[string]any) {
	for _, d := range b.deliveries() {
		out = append(out, d.messages...)
	}
	return out
}

func (b *bot) statuses() (out []map[string]any) {
	for _, d := range b.deliveries() {
		out = append(out, d.statuses...)
	}
	return out
}

func (b *bot) statusNames() (out []string) {
	for _, s := range b.statuses() {
		out = append(out, s["status"].(string))
	}
	return out
}

// world is a started simulator, its listener and a stub bot.
type world struct {
	*simulator.Simulator
	t   *testing.T
	bot *bot
	url string
	now *clock
}

// clock is protocol time that moves only by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newWorld(t *testing.T, change func(*simulator.Config)) *world {
	t.Helper()
	b := newBot(t)
	now := &clock{at: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	cfg := simulator.Config{
		AccessToken: token, AppSecret: secret, VerifyToken: "verify-me", WebhookURL: b.URL + "/webhook",
		RetrySchedule: []time.Duration{0, time.Millisecond}, Seed: 7, Clock: now.read,
	}
	if change != nil {
		change(&cfg)
	}
	sim, err := simulator.New(cfg)
	require.NoError(t, err)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	require.NoError(t, sim.SetBaseURL(srv.URL))
	require.NoError(t, sim.Start(t.Context()))
	return &world{Simulator: sim, t: t, bot: b, url: srv.URL, now: now}
}

func (w *world) faults(change func(*simulator.Faults)) {
	w.t.Helper()
	f := w.Faults()
	change(&f)
	require.NoError(w.t, w.SetFaults(f))
}

func (w *world) user(spec simulator.UserSpec) simulator.User {
	w.t.Helper()
	u, err := w.AddUser(spec)
	require.NoError(w.t, err)
	return u
}

// writer is a user whose 24-hour window is open.
func (w *world) writer() simulator.User {
	w.t.Helper()
	u := w.user(simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	w.says(u, "hello")
	w.idle()
	return u
}

func (w *world) says(u simulator.User, text string) string {
	w.t.Helper()
	id, err := w.SendText(u.ID, text)
	require.NoError(w.t, err)
	return id
}

// idle waits until everything was delivered; the test's own limit ends a wait that never will.
func (w *world) idle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(w.t, w.WaitIdle(ctx))
}

func (w *world) waitFor(cond func(simulator.Snapshot) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(w.t, w.Wait(ctx, cond))
}

type answer struct {
	status int
	body   map[string]any
	raw    []byte
	header http.Header
}

func (a answer) code() int {
	e, _ := a.body["error"].(map[string]any)
	n, _ := e["code"].(float64)
	return int(n)
}

func (a answer) errorField(name string) string {
	e, _ := a.body["error"].(map[string]any)
	s, _ := e[name].(string)
	return s
}

func (a answer) wamid() string {
	list, _ := a.body["messages"].([]any)
	if len(list) == 0 {
		return ""
	}
	return list[0].(map[string]any)["id"].(string)
}

func (w *world) do(req *http.Request) answer {
	w.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req) // no redirects
	require.NoError(w.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	a := answer{status: resp.StatusCode, raw: raw, header: resp.Header}
	_ = json.Unmarshal(raw, &a.body)
	return a
}

func (w *world) request(method, path string, body io.Reader) *http.Request {
	w.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = w.url + path
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, path, body)
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

func (w *world) graph(method, path string) answer {
	w.t.Helper()
	return w.do(w.request(method, path, nil))
}

// post sends a body to the messages endpoint.
func (w *world) post(body string) answer {
	w.t.Helper()
	return w.do(w.request(http.MethodPost, "/v26.0/"+w.Config().PhoneNumberID+"/messages", strings.NewReader(body)))
}

// reply sends a text to a user as a bot would and must be accepted.
func (w *world) reply(u simulator.User, text string) string {
	w.t.Helper()
	a := w.post(`{"messaging_product":"whatsapp","to":"+` + u.Phone + `","type":"text","text":{"body":"` + text + `"},"biz_opaque_callback_data":"turn-1"}`)
	require.Equal(w.t, http.StatusOK, a.status, string(a.raw))
	return a.wamid()
}

// upload is a multipart upload; an empty part type or kind leaves that one out.
func (w *world) upload(data []byte, partType, kind string) answer {
	w.t.Helper()
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	require.NoError(w.t, form.WriteField("messaging_product", "whatsapp"))
	if kind != "" {
		require.NoError(w.t, form.WriteField("type", kind))
	}
	h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="a.ogg"`}}
	if partType != "" {
		h.Set("Content-Type", partType)
	}
	part, err := form.CreatePart(h)
	require.NoError(w.t, err)
	_, err = part.Write(data)
	require.NoError(w.t, err)
	require.NoError(w.t, form.Close())
	req := w.request(http.MethodPost, "/v26.0/"+w.Config().PhoneNumberID+"/media", &buf)
	req.Header.Set("Content-Type", form.FormDataContentType())
	return w.do(req)
}

func (w *world) uploaded(data []byte, mime string) string {
	w.t.Helper()
	a := w.upload(data, mime, mime)
	require.Equal(w.t, http.StatusOK, a.status, string(a.raw))
	return a.body["id"].(string)
}

func audioBody(u simulator.User, audio string) string {
	return `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+` + u.Phone + `","type":"audio","audio":` + audio + `}`
}

// oggOpus makes an Ogg/Opus stream of silent packets: head, tags, and one page of up to 50 packets of 20 ms each.
func oggOpus(channels byte, packets, padding int) []byte {
	head := append([]byte("OpusHead\x01"), channels, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0) // pre-skip 312
	tags := append([]byte("OpusTags"), make([]byte, 8+padding)...)
	out := oggPage(2, 0, 0, [][]byte{head})
	out = append(out, oggPage(0, 0, 1, [][]byte{tags})...)
	sound := make([][]byte, packets)
	for i := range sound {
		sound[i] = []byte{0xf8, 0xff, 0xfe}
	}
	return append(out, oggPage(4, uint64(packets*960), 2, sound)...)
}

func oggPage(flags byte, granule uint64, seq uint32, packets [][]byte) []byte {
	var lacing, body []byte
	for _, p := range packets {
		n := len(p)
		for ; n >= 255; n -= 255 {
			lacing = append(lacing, 255)
		}
		lacing = append(lacing, byte(n))
		body = append(body, p...)
	}
	if len(lacing) > 255 { // one page holds 255 segments: spread over pages
		cut := 0
		for _, l := range lacing[:255] {
			cut += int(l)
		}
		first := rawPage(flags, ^uint64(0), seq, lacing[:255], body[:cut])
		for lacing, body = lacing[255:], body[cut:]; len(lacing) > 255; lacing, body = lacing[255:], body[cut:] {
			cut = 0
			for _, l := range lacing[:255] {
				cut += int(l)
			}
			first = append(first, rawPage(1, ^uint64(0), seq, lacing[:255], body[:cut])...)
		}
		return append(first, rawPage(1, granule, seq, lacing, body)...)
	}
	return rawPage(flags, granule, seq, lacing, body)
}

func rawPage(flags byte, granule uint64, seq uint32, lacing, body []byte) []byte {
	p := append([]byte("OggS\x00"), flags)
	p = binary.LittleEndian.AppendUint64(p, granule)
	p = binary.LittleEndian.AppendUint32(p, 0x51)
	p = binary.LittleEndian.AppendUint32(p, seq)
	p = append(p, 0, 0, 0, 0, byte(len(lacing)))
	p = append(append(p, lacing...), body...)
	var crc uint32
	for _, b := range p { // bit by bit, so that it shares no code with what it tests
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&0x80000000 != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(p[22:], crc)
	return p
}
