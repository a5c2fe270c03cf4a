package e2e_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/test/simulator"
)

// fallback is the default fallback message, letter by letter.
const fallback = "Sorry, we couldn't process your request. Please try again later"

// user is a person with a phone. What the bot sends is looked at in its order, each
// message once.
type user struct {
	t    *testing.T
	b    *bot
	id   string
	seen int // messages looked at
}

// user adds a person; the first spec, if any, says who.
func (b *bot) user(t *testing.T, spec ...simulator.UserSpec) *user {
	t.Helper()
	spec = append(spec, simulator.UserSpec{})
	u, err := b.sim.AddUser(spec[0])
	require.NoError(t, err)
	return &user{t: t, b: b, id: u.ID}
}

// card is how WhatsApp knows the person now.
func (u *user) card() simulator.User {
	u.t.Helper()
	for _, c := range u.b.sim.Users() {
		if c.ID == u.id {
			return c
		}
	}
	u.t.Fatal("the user is gone")
	return simulator.User{}
}

// sends any message in Meta's inbound shape and returns its wamid.
func (u *user) sends(content any) string {
	u.t.Helper()
	id, err := u.b.sim.Send(u.id, content)
	require.NoError(u.t, err)
	return id
}

func (u *user) writes(text string) string {
	u.t.Helper()
	return u.sends(simulator.Text(text))
}

// speaks sends a voice note.
func (u *user) speaks(clip []byte) string {
	u.t.Helper()
	id, err := u.b.sim.SendVoice(u.id, clip)
	require.NoError(u.t, err)
	return id
}

// recording is a voice note in which the fake ear hears these words.
func recording(t *testing.T, words string) []byte {
	t.Helper()
	clip, err := fake.Clip(words, 2*time.Second)
	require.NoError(t, err)
	return clip.Bytes()
}

// gets waits for the next message of the bot.
func (u *user) gets() simulator.Message {
	u.t.Helper()
	var m simulator.Message
	u.b.wait(u.t, fmt.Sprintf("message %d to %s", u.seen+1, u.id), func(v simulator.Snapshot) bool {
		out := v.Outbound(u.id)
		if len(out) <= u.seen {
			return false
		}
		m = out[u.seen]
		return true
	})
	u.seen++
	return m
}

// hears waits for the next message, which must be a voice note with these words.
func (u *user) hears(words string) simulator.Message {
	u.t.Helper()
	m := u.gets()
	require.Equal(u.t, "audio", m.Type, "a voice note is expected, this came: %s", m.Raw)
	require.True(u.t, m.Media.Voice, "the audio is not a voice note: %s", m.Raw)
	require.Equal(u.t, words, u.listen(m))
	return m
}

// reads waits for the next message, which must be this text.
func (u *user) reads(words string) simulator.Message {
	u.t.Helper()
	m := u.gets()
	require.Equal(u.t, "text", m.Type, "a text is expected, this came: %s", m.Raw)
	require.Equal(u.t, words, m.Text)
	return m
}

// listen finds the words in a voice note of the fake voice: they stand in its
// OpusTags header, each comment behind its length (RFC 7845, section 5.2).
func (u *user) listen(m simulator.Message) string {
	u.t.Helper()
	clip := u.b.file(u.t, m)
	at := bytes.Index(clip, []byte("TRANSCRIPT="))
	require.Greater(u.t, at, 4, "the voice note carries no words")
	length := int(binary.LittleEndian.Uint32(clip[at-4:]))
	require.LessOrEqual(u.t, at+length, len(clip))
	return strings.TrimPrefix(string(clip[at:at+length]), "TRANSCRIPT=")
}

// file fetches what a media message shows.
func (b *bot) file(t *testing.T, m simulator.Message) []byte {
	t.Helper()
	r := b.get(t, b.graph.URL+"/sim/files/"+m.Media.ID)
	require.Equal(t, 200, r.code)
	return []byte(r.body)
}

// thatWasAll proves that the bot has nothing more to say to what came before: a
// conversation is answered in order, so the answer to one more message must be
// the next one, and the only one.
func (u *user) thatWasAll() {
	u.t.Helper()
	last := "and that was all " + strconv.Itoa(u.seen)
	u.writes(last)
	m := u.gets()
	said := m.Text
	if m.Type == "audio" {
		said = u.listen(m)
	}
	require.Contains(u.t, said, last, "the bot had more to say")
	u.b.idle()
	require.Len(u.t, u.b.sim.Outbound(u.id), u.seen, "the bot had more to say")
}

// sent lays a send open: the body as it went over the wire.
type sent struct {
	Product       string          `json:"messaging_product"`
	RecipientType string          `json:"recipient_type"`
	To            string          `json:"to"`
	Recipient     string          `json:"recipient"`
	Type          string          `json:"type"`
	Text          map[string]any  `json:"text"`
	Audio         map[string]any  `json:"audio"`
	Context       json.RawMessage `json:"context"`
	Callback      string          `json:"biz_opaque_callback_data"`
}

func body(t *testing.T, m simulator.Message) sent {
	t.Helper()
	var s sent
	dec := json.NewDecoder(bytes.NewReader(m.Raw))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&s), "the bot sent something unexpected: %s", m.Raw)
	return s
}

// reference splits the callback data of a send: which turn, which of its parts,
// which try.
func reference(t *testing.T, m simulator.Message) (turn string, part, attempt int) {
	t.Helper()
	f := strings.Split(m.CallbackData, "/")
	require.Len(t, f, 5, "the callback data %q", m.CallbackData)
	part, err := strconv.Atoi(f[3])
	require.NoError(t, err)
	attempt, err = strconv.Atoi(f[4])
	require.NoError(t, err)
	return f[1] + "/" + f[2], part, attempt
}
