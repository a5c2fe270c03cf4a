package simulator_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestUploadTypeRules(t *testing.T) {
	w := newWorld(t, nil)
	sound := oggOpus(1, 10, 0)
	for name, tc := range map[string]struct {
		part, kind string
		ok         bool
		received   string
	}{
		"both":                    {"audio/ogg", "audio/ogg", true, ""},
		"file part only":          {"audio/ogg", "", true, ""},
		"type field only":         {"", "audio/ogg", true, ""},
		"with parameters":         {"audio/ogg; codecs=opus", "audio/ogg; codecs=opus", true, ""},
		"neither":                 {"", "", false, ""},
		"WAV":                     {"audio/wav", "audio/wav", false, "audio/wav"},
		"form default":            {"application/octet-stream", "audio/ogg", false, "application/octet-stream"},
		"field contradicts: type": {"audio/ogg", "audio/wav", false, "audio/wav"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.upload(sound, tc.part, tc.kind)
			if tc.ok {
				require.Equal(t, http.StatusOK, a.status, string(a.raw))
				require.Regexp(t, `^\{"id":"\d+"\}\s*$`, string(a.raw))
				return
			}
			require.Equal(t, http.StatusBadRequest, a.status)
			require.Equal(t, 100, a.code())
			if tc.received != "" {
				require.True(t, strings.HasPrefix(a.errorField("message"),
					"(#100) Param file must be a file with one of the following types: audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, audio/opus, "))
				require.True(t, strings.HasSuffix(a.errorField("message"), " Received file of type '"+tc.received+"'."))
			}
		})
	}
}

func TestUploadLimits(t *testing.T) {
	w := newWorld(t, nil)
	require.Equal(t, http.StatusOK, w.upload(make([]byte, 16<<20), "audio/ogg", "").status)
	a := w.upload(make([]byte, 16<<20+1), "audio/ogg", "")
	require.Equal(t, 100, a.code())
	require.Equal(t, 100, w.upload(nil, "audio/ogg", "").code())
	require.Equal(t, 100, w.upload(make([]byte, 5<<20+1), "image/png", "").code())

	req := w.request(http.MethodPost, "/v26.0/"+w.Config().PhoneNumberID+"/media", strings.NewReader("x"))
	require.Equal(t, 100, w.do(req).code(), "not multipart")
}

func TestMediaLookupAndDownload(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	sound := oggOpus(1, 100, 0)
	_, err := w.SendVoice(u.ID, sound)
	require.NoError(t, err)
	w.idle()
	audio := w.bot.messages()[0]["audio"].(map[string]any)
	sum := sha256.Sum256(sound)
	require.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), audio["sha256"])
	require.Equal(t, "audio/ogg; codecs=opus", audio["mime_type"])
	require.Equal(t, true, audio["voice"])
	require.Contains(t, string(w.bot.deliveries()[0].body), `"mime_type":"audio\/ogg; codecs=opus"`)

	id := audio["id"].(string)
	a := w.graph(http.MethodGet, "/v26.0/"+id+"?phone_number_id="+w.Config().PhoneNumberID)
	require.Equal(t, http.StatusOK, a.status)
	require.EqualValues(t, len(sound), a.body["file_size"], "a number")
	require.Equal(t, hex.EncodeToString(sum[:]), a.body["sha256"])
	require.Equal(t, id, a.body["id"])
	require.Equal(t, "whatsapp", a.body["messaging_product"])
	require.Equal(t, http.StatusBadRequest, w.graph(http.MethodGet, "/v26.0/"+id+"?phone_number_id=1").status)

	for _, url := range []string{a.body["url"].(string), audio["url"].(string)} {
		got := w.graph(http.MethodGet, url)
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, "audio/ogg; codecs=opus", got.header.Get("Content-Type"))
		require.True(t, bytes.Equal(sound, got.raw))
		require.Equal(t, http.StatusNotFound, w.graph(http.MethodGet, url+"x").status)
	}

	url := a.body["url"].(string)
	w.now.advance(5*time.Minute - time.Millisecond)
	require.Equal(t, http.StatusOK, w.graph(http.MethodGet, url).status)
	w.now.advance(time.Millisecond)
	require.Equal(t, http.StatusNotFound, w.graph(http.MethodGet, url).status)
	require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/v26.0/"+id).status, "the id lives on")
}

func TestMediaIDsExpire(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	wamid, err := w.SendVoice(u.ID, oggOpus(1, 10, 0))
	require.NoError(t, err)
	var received string
	w.View(func(v simulator.Snapshot) { m, _ := v.Message(wamid); received = m.Media.ID })
	uploaded := w.uploaded(oggOpus(1, 10, 1), "audio/ogg")

	w.now.advance(7*24*time.Hour - time.Second)
	require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/"+received).status)
	w.now.advance(time.Second)
	require.Equal(t, http.StatusBadRequest, w.graph(http.MethodGet, "/"+received).status)
	require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/"+uploaded).status)
	w.now.advance(23 * 24 * time.Hour)
	w.says(u, "window") // so that only the media can be wrong
	require.Equal(t, 100, w.post(audioBody(u, `{"id":"`+uploaded+`","voice":true}`)).code())
}

func TestDeletedMediaStaysOnThePhone(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.uploaded(oggOpus(1, 10, 0), "audio/ogg")
	require.Equal(t, http.StatusOK, w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).status)
	require.JSONEq(t, `{"success":true}`, string(w.graph(http.MethodDelete, "/v26.0/"+id).raw))
	require.Equal(t, http.StatusBadRequest, w.graph(http.MethodDelete, "/v26.0/"+id).status)
	require.Equal(t, http.StatusBadRequest, w.graph(http.MethodGet, "/v26.0/"+id).status)
	require.Equal(t, 100, w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).code())
	require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/sim/files/"+id).status)
}

func TestVoiceNoteDurationAndSize(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	small := w.uploaded(oggOpus(1, 100, 0), "audio/ogg")
	require.Equal(t, http.StatusOK, w.post(audioBody(u, `{"id":"`+small+`","voice":true}`)).status)
	large := w.uploaded(oggOpus(1, 600, 513<<10), "audio/ogg")
	require.Equal(t, http.StatusOK, w.post(audioBody(u, `{"id":"`+large+`","voice":true}`)).status)
	out := w.Outbound(u.ID)
	require.EqualValues(t, 1993, out[0].Media.DurationMS) // pre-skip of 312 samples
	require.False(t, out[0].Media.Oversized)
	require.EqualValues(t, 11993, out[1].Media.DurationMS)
	require.True(t, out[1].Media.Oversized)
	var flags []string
	for _, e := range w.Log() {
		flags = append(flags, e.Flags...)
	}
	require.Equal(t, []string{"oversized_voice"}, flags)
}

func TestChainedStreamsAreFlagged(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.uploaded(append(oggOpus(1, 100, 0), oggOpus(1, 50, 0)...), "audio/ogg")
	require.Equal(t, http.StatusOK, w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).status)
	log := w.Log()
	found := false
	for _, e := range log {
		found = found || (e.Kind == simulator.LogSend && len(e.Flags) == 1 && e.Flags[0] == "chained_stream")
	}
	require.True(t, found)
}

func TestMediaStoreForgetsTheOldest(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.MaxMediaBytes = 4096 })
	first := w.uploaded(bytes.Repeat([]byte("a"), 1500), "text/plain")
	shared := w.uploaded(bytes.Repeat([]byte("a"), 1500), "text/plain") // the same bytes are held once
	second := w.uploaded(bytes.Repeat([]byte("b"), 1000), "text/plain")
	for _, id := range []string{first, shared, second} {
		require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/"+id).status)
	}
	third := w.uploaded(bytes.Repeat([]byte("c"), 50), "text/plain")
	require.Equal(t, http.StatusBadRequest, w.graph(http.MethodGet, "/"+first).status)
	for _, id := range []string{shared, second, third} {
		require.Equal(t, http.StatusOK, w.graph(http.MethodGet, "/"+id).status)
	}
	require.Equal(t, 131000, w.upload(make([]byte, 5000), "text/plain", "").code())
}
