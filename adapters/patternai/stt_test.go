package patternai_test

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/patternai"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestTranscribeSendsTheSoundItself(t *testing.T) {
	s := newServer(t)
	clip := spoken(t, " Where is my umbrella? ")
	got, err := s.stt(func(cfg *patternai.STTConfig) { cfg.Model = "nova-2 general" }).
		Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"en-GB"}, Hint: "Umbrella Ltd"})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{Text: "Where is my umbrella?", Language: "en-GB"}, got)

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/stt", q.uri)
	assert.Equal(t, clip.Bytes(), q.body)
	assert.Equal(t, "audio/ogg; codecs=opus", q.header.Get("Content-Type"))
	assert.Equal(t, "nova-2 general", q.header.Get("STT-Model"))
	assert.Equal(t, "Bearer "+testKey, q.header.Get("Authorization"))
}

func TestModelAndKeyMayBeLeftOut(t *testing.T) {
	s := newServer(t)
	got, err := s.stt(func(cfg *patternai.STTConfig) { cfg.APIKey = func() string { return "" } }).
		Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{Languages: []string{"en", "es"}})
	require.NoError(t, err)
	assert.Empty(t, got.Language, "nobody knows which")
	assert.NotContains(t, s.last().header, "Stt-Model")
	assert.NotContains(t, s.last().header, "Authorization")
}

func TestBaseURLMayHaveAPath(t *testing.T) {
	s := newServer(t)
	s.reply = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"status": "Success", "transcription": "hello"})
	}
	_, err := s.stt(func(cfg *patternai.STTConfig) { cfg.BaseURL = s.URL + "/agents/v1/" }).Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "/agents/v1/stt", s.last().uri)
}

func TestTypesOfSound(t *testing.T) {
	for mime, c := range map[string]struct{ data, sent string }{
		"audio/mpeg":             {"ID3\x04", "audio/mpeg"},
		"audio/mp3":              {"\xff\xfb\x90", "audio/mp3"},
		"Audio/WAV":              {"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"},
		"audio/amr":              {"#!AMR\n", "audio/amr"},
		"audio/mp4; codecs=mp4a": {"\x00\x00\x00\x18ftyp", "audio/mp4; codecs=mp4a"},
	} {
		s := newServer(t)
		_, err := s.stt().Transcribe(t.Context(), audio(t, mime, []byte(c.data)), ports.STTOptions{})
		require.NoError(t, err, mime)
		assert.Equal(t, c.sent, s.last().header.Get("Content-Type"), mime)
		assert.Equal(t, c.data, string(s.last().body), mime)
	}
	s := newServer(t)
	for _, mime := range []string{"video/mp4", "audio/", "audio/ogg\r\nX-Evil: 1", "audio/l16; rate=fast", "audio/l16; rate=24000; rate=1"} {
		_, err := s.stt().Transcribe(t.Context(), audio(t, mime, []byte("abcd")), ports.STTOptions{})
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), mime)
	}
	assert.Zero(t, s.count())
}

func TestRawSamplesBecomeAWAVFile(t *testing.T) {
	samples := []int16{1, -1, 300, -300}
	var raw []byte
	for _, v := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	s := newServer(t)
	_, err := s.stt().Transcribe(t.Context(), audio(t, domain.MIMEPCM+"; rate=16000", raw), ports.STTOptions{})
	require.NoError(t, err)
	got, err := wav.Decode(s.last().body)
	require.NoError(t, err)
	assert.Equal(t, wav.PCM{Rate: 16000, Channels: 1, Samples: samples}, got)
	assert.Equal(t, "audio/wav", s.last().header.Get("Content-Type"))
	_, err = s.stt().Transcribe(t.Context(), audio(t, domain.MIMEPCM+"; rate=16000", raw[:3]), ports.STTOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
}

func TestStatuses(t *testing.T) {
	const said = "the code of the safe is 4711"
	for name, c := range map[string]struct {
		body string
		want ports.Kind
		code string
	}{
		"error":                {`{"status":"error","transcription":"` + said + `","request_id":"r-7"}`, ports.KindTransient, "r-7"},
		"failed, null":         {`{"status":"failed","transcription":null,"request_id":null}`, ports.KindTransient, ""},
		"capitals and hyphens": {`{"status":" Too-Many Requests "}`, ports.KindRateLimited, ""},
		"unauthorized":         {`{"status":"unauthorized","request_id":"5f0e:11"}`, ports.KindDenied, "5f0e:11"},
		"quota":                {`{"status":"quota_exceeded"}`, ports.KindDenied, ""},
		"bad request":          {`{"status":"bad_request"}`, ports.KindInvalid, ""},
		"format":               {`{"status":"unsupported_format"}`, ports.KindUnsupported, ""},
		"timeout":              {`{"status":"timeout"}`, ports.KindTimeout, ""},
		"blocked":              {`{"status":"blocked"}`, ports.KindBlocked, ""},
		"unknown word":         {`{"status":"` + said + `","request_id":"` + said + `"}`, ports.KindUnknown, ""},
		"empty word":           {`{"status":"","transcription":"hello"}`, ports.KindUnknown, ""},
		"no status":            {`{"transcription":"hello","request_id":"r-7"}`, ports.KindTransient, "r-7"},
		"no transcription":     {`{"status":"success","request_id":"r-7"}`, ports.KindTransient, "r-7"},
		"null":                 {`null`, ports.KindTransient, ""},
		"wrong types":          {`{"status":200,"transcription":"hello"}`, ports.KindTransient, ""},
		"cut JSON":             {`{"status":"success","transcr`, ports.KindTransient, ""},
		"no JSON":              {said, ports.KindTransient, ""},
		"nothing":              {``, ports.KindTransient, ""},
	} {
		_, err := newServer(t).answers(200, "application/json", c.body).stt().Transcribe(t.Context(), spoken(t, said), ports.STTOptions{})
		var e *ports.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.want, e.Kind, name)
		assert.Equal(t, c.code, e.Code, name)
		assert.Equal(t, e.Kind == ports.KindDenied || e.Kind == ports.KindRateLimited, e.Scope == ports.ScopeAccount, name)
		assert.NotContains(t, err.Error(), said, name)
	}
	_, err := newServer(t).answers(200, "application/json", `{"status":"success","transcription":"`+strings.Repeat("x", 4<<20)+`"}`).stt().Transcribe(t.Context(), spoken(t, said), ports.STTOptions{})
	assert.EqualError(t, err, "patternai.stt: transient: the answer is too large")
	_, err = newServer(t).cuts("application/json", `{"status":"success"`).stt().Transcribe(t.Context(), spoken(t, said), ports.STTOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "cut connection")

	got, err := newServer(t).answers(200, "text/plain", `{"status":"ok","transcription":" ","request_id":7}`).stt().Transcribe(t.Context(), spoken(t, ""), ports.STTOptions{Languages: []string{"en"}})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "a number is no request id")
	assert.Equal(t, domain.Transcript{}, got)
	got, err = newServer(t).answers(200, "text/plain", `{"status":"ok","transcription":" "}`).stt().Transcribe(t.Context(), spoken(t, ""), ports.STTOptions{Languages: []string{"en"}})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{}, got)
}
