package deepgram_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/deepgram"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestTheClipIsSentAsItIs(t *testing.T) {
	s := newServer(t)
	clip := spoken(t, "hello")
	got, err := s.stt().Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"es-MX"}, Hint: "Ana Ruiz,  the\tPier;\n;"})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{Text: "hello", Language: "es-MX", Confidence: 0.97}, got)

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/v1/listen", q.path)
	assert.Equal(t, url.Values{"model": {"nova-3"}, "smart_format": {"true"}, "mip_opt_out": {"true"}, "language": {"es"}, "keyterm": {"Ana Ruiz", "the Pier"}}, q.query)
	assert.Equal(t, "Token "+testKey, q.header.Get("Authorization"))
	assert.Equal(t, "audio/ogg", q.header.Get("Content-Type"))
	assert.Equal(t, clip.Bytes(), q.body)
}

func TestLanguagesThatMayBeSpoken(t *testing.T) {
	for _, c := range []struct {
		allowed          []string
		language, detect []string
	}{
		{nil, nil, []string{"true"}},
		{[]string{"es-MX", "en", "es"}, nil, []string{"es", "en"}},
		{[]string{"nb", "en"}, nil, []string{"no", "en"}},
		{[]string{"en", "zu"}, nil, []string{"true"}},
		{[]string{"en-us"}, []string{"en-US"}, nil},
		{[]string{"en-KE"}, []string{"en"}, nil},
		{[]string{"spa"}, []string{"es"}, nil},
		{[]string{"zh-Hant"}, []string{"zh-Hant"}, nil},
	} {
		s := newServer(t)
		_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{Languages: c.allowed})
		require.NoError(t, err)
		assert.Equal(t, c.language, s.last().query["language"], c.allowed)
		assert.Equal(t, c.detect, s.last().query["detect_language"], c.allowed)
	}
	s := newServer(t)
	_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{Languages: []string{"nonsense!"}})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	assert.Zero(t, s.count())
}

func TestTermsAreSentOnlyWhereTheyAreTaken(t *testing.T) {
	for _, c := range []struct {
		model string
		langs []string
		want  int
	}{{"nova-3", []string{"en"}, 1}, {"nova-3-medical", []string{"en"}, 1}, {"nova-2", []string{"en"}, 0}, {"nova-3", []string{"en", "es"}, 0}, {"nova-3", nil, 0}} {
		s := newServer(t)
		ear := s.stt(func(cfg *deepgram.STTConfig) { cfg.Model = c.model })
		_, err := ear.Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{Languages: c.langs, Hint: "Ana"})
		require.NoError(t, err)
		assert.Len(t, s.last().query["keyterm"], c.want, c)
	}
	s := newServer(t)
	hint := strings.Repeat("x", 451) + "," + strings.Repeat("ten bytes!,", 70)
	_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{Languages: []string{"en"}, Hint: hint})
	require.NoError(t, err)
	assert.Len(t, s.last().query["keyterm"], 45, "450 bytes in all")
}

func TestTranscripts(t *testing.T) {
	answer := func(channel string) string { return `{"results":{"channels":[` + channel + `]}}` }
	for name, c := range map[string]struct {
		body string
		want domain.Transcript
		kind ports.Kind
	}{
		"sure":           {answer(`{"alternatives":[{"transcript":" hola ","confidence":0.9}],"detected_language":"es","language_confidence":0.8}`), domain.Transcript{Text: "hola", Language: "es-MX", Confidence: 0.9}, ""},
		"unsure":         {answer(`{"alternatives":[{"transcript":"hola","confidence":2}],"detected_language":"es","language_confidence":0.3}`), domain.Transcript{Text: "hola", Confidence: 1}, ""},
		"another":        {answer(`{"alternatives":[{"transcript":"ciao"}],"detected_language":"it"}`), domain.Transcript{Text: "ciao", Language: "it"}, ""},
		"silence":        {answer(`{"alternatives":[{"transcript":"","confidence":0}],"detected_language":"en","language_confidence":1}`), domain.Transcript{}, ""},
		"no alternative": {answer(`{"alternatives":[]}`), domain.Transcript{}, ""},
		"no channel":     {answer(``), domain.Transcript{}, ports.KindTransient},
		"no JSON":        {`<html>`, domain.Transcript{}, ports.KindTransient},
		"empty":          {``, domain.Transcript{}, ports.KindTransient},
	} {
		got, err := newServer(t).answers(http.StatusOK, c.body).stt().Transcribe(t.Context(), spoken(t, "x"), ports.STTOptions{Languages: []string{"en", "es-MX"}})
		assert.Equal(t, c.kind, ports.KindOf(err), name)
		assert.Equal(t, c.want, got, name)
	}
}

func TestTheTextIsSentToTheVoice(t *testing.T) {
	s := newServer(t)
	clip, err := s.tts().Synthesize(t.Context(), "  Good \"morning\" <b>.\n", ports.TTSOptions{Language: "en-GB"})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, measure(t, clip), clip.Duration())

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/v1/speak", q.path)
	assert.Equal(t, url.Values{"model": {"aura-2-thalia-en"}, "encoding": {"opus"}, "container": {"ogg"}, "mip_opt_out": {"true"}}, q.query)
	assert.Equal(t, "Token "+testKey, q.header.Get("Authorization"))
	assert.Equal(t, "application/json", q.header.Get("Content-Type"))
	assert.JSONEq(t, `{"text":"Good \"morning\" <b>."}`, string(q.body))
}

func TestVoiceFollowsTheLanguage(t *testing.T) {
	cast := func(cfg *deepgram.TTSConfig) {
		cfg.Model = "aura-2-cesare-it"
		cfg.Voices = map[string]string{"es": "maria", "pt-BR": "joao", "es-CO": "ana"}
	}
	for lang, want := range map[string]string{
		"": "aura-2-cesare-it", "it": "aura-2-cesare-it", "en": "aura-2-thalia-en", "de-AT": "aura-2-aurelia-de", "es": "maria", "spa": "maria",
		"es-MX": "maria", "es-co": "ana", "pt": "joao", "pt-PT": "joao",
	} {
		s := newServer(t)
		_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: lang})
		require.NoError(t, err)
		assert.Equal(t, want, s.last().query.Get("model"), "%q", lang)
	}
	s := newServer(t)
	_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: "wo", Voice: "chosen"})
	require.NoError(t, err)
	assert.Equal(t, "chosen", s.last().query.Get("model"))
	for lang, bad := range map[string]string{"en": "a b", "es": "a&b=c"} {
		_, err := s.tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: lang, Voice: bad})
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err), bad)
	}
	assert.Equal(t, 1, s.count())
}

func TestTheLimitIsInCharacters(t *testing.T) {
	s := newServer(t)
	_, err := s.tts().Synthesize(t.Context(), strings.Repeat("ñ", deepgram.MaxChars), ports.TTSOptions{})
	require.NoError(t, err)
	_, err = s.tts().Synthesize(t.Context(), strings.Repeat("ñ", deepgram.MaxChars+1), ports.TTSOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	_, err = s.tts().Synthesize(t.Context(), "...", ports.TTSOptions{})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	assert.Equal(t, 1, s.count())
}

func TestSoundThatIsNoVoiceNote(t *testing.T) {
	good := spoken(t, "hello").Bytes()
	for body, want := range map[string]ports.Kind{
		"": ports.KindUnknown, `{"ok":true}`: ports.KindTransient, "RIFF....WAVE": ports.KindTransient,
		string(good[:len(good)-5]): ports.KindTransient, string(good) + string(good): ports.KindUnsupported,
		strings.Repeat("x", oggopus.MaxVoiceNote+1): ports.KindTransient,
	} {
		_, err := newServer(t).answers(http.StatusOK, body, "Content-Type", "audio/ogg").tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		assert.Equal(t, want, ports.KindOf(err), "%d bytes", len(body))
	}
	_, err := newServer(t).cuts(string(good)).tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	_, err = newServer(t).cuts("{").stt().Transcribe(t.Context(), spoken(t, "x"), ports.STTOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
}

// TestAStreamWithoutItsEndIsEnded: the flag of the last page is taken off, as by an
// encoder that wrote while it was spoken.
func TestAStreamWithoutItsEndIsEnded(t *testing.T) {
	open := unended(t, spoken(t, "hello").Bytes())
	require.ErrorIs(t, oggopus.Check(open), oggopus.ErrUnended)
	clip, err := newServer(t).answers(http.StatusOK, string(open)).tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
	assert.InDelta(t, time.Second, measure(t, clip), float64(20*time.Millisecond))
}

// unended takes the mark of the end from the last page and mends its checksum (RFC
// 3533, section 6).
func unended(t *testing.T, data []byte) []byte {
	t.Helper()
	b := []byte(string(data))
	page := b[strings.LastIndex(string(b), "OggS"):]
	require.NotZero(t, page[5]&4)
	page[5] &^= 4
	clear(page[22:26])
	sum := uint32(0)
	for _, c := range page {
		sum ^= uint32(c) << 24
		for range 8 {
			carry := sum >> 31
			sum = sum<<1 ^ carry*0x04c11db7
		}
	}
	binary.LittleEndian.PutUint32(page[22:], sum)
	return b
}

func TestRefusals(t *testing.T) {
	const said = "the code of the safe is 4711"
	body := func(code, message string) string {
		return fmt.Sprintf(`{"err_code":%q,"err_msg":%q,"request_id":"req-1"}`, code, message)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		kind   ports.Kind
		scope  ports.Scope
		code   string
	}{
		"key":           {401, body("INVALID_AUTH", "Invalid credentials."), ports.KindDenied, ports.ScopeAccount, "INVALID_AUTH"},
		"credit":        {402, body("ASR_PAYMENT_REQUIRED", said), ports.KindDenied, ports.ScopeAccount, "ASR_PAYMENT_REQUIRED"},
		"model, denied": {403, body("INSUFFICIENT_PERMISSIONS", said), ports.KindDenied, ports.ScopeAccount, "INSUFFICIENT_PERMISSIONS"},
		"busy":          {429, body("TOO_MANY_REQUESTS", said), ports.KindRateLimited, ports.ScopeAccount, "TOO_MANY_REQUESTS"},
		"clip":          {400, body("Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data"), ports.KindUnsupported, "", ""},
		"language":      {400, body("Bad Request", "Bad Request: No such model/language/tier combination found."), ports.KindUnsupported, "", ""},
		"parameter":     {400, body("INVALID_QUERY_PARAMETER", said), ports.KindInvalid, "", "INVALID_QUERY_PARAMETER"},
		"other form":    {400, `{"category":"INVALID_JSON","message":"` + said + `"}`, ports.KindInvalid, "", "INVALID_JSON"},
		"address":       {404, "Not Found", ports.KindInvalid, "", ""},
		"slow upload":   {408, body("SLOW_UPLOAD", said), ports.KindTimeout, "", "SLOW_UPLOAD"},
		"too long":      {413, "", ports.KindUnsupported, "", ""},
		"broken":        {500, "<html>" + said, ports.KindTransient, "", ""},
	} {
		s := newServer(t).answers(c.status, c.body, "Retry-After", "3")
		_, err := s.stt().Transcribe(t.Context(), spoken(t, said), ports.STTOptions{})
		var e *ports.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.kind, e.Kind, name)
		assert.Equal(t, c.scope, e.Scope, name)
		assert.Equal(t, c.code, e.Code, name)
		assert.Equal(t, 3*time.Second, e.RetryAfter, name)
		assert.Equal(t, strings.Contains(c.body, "req-1"), strings.Contains(err.Error(), "req-1"), name)
		for _, secret := range []string{said, testKey, s.URL, "Bad Request"} {
			assert.NotContains(t, err.Error(), secret, name)
		}
	}
}

func TestConfigFaultsAreListedTogether(t *testing.T) {
	_, err := deepgram.NewTTS(deepgram.TTSConfig{BaseURL: "http://api.example.com/?k=secret", Model: "a b", Voices: map[string]string{"!": "x", "es": "a/b"}})
	for _, want := range []string{"key function", "base URL", "model's name", `language "!"`, `voice for the language "es"`} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "secret")
	_, err = deepgram.NewSTT(deepgram.STTConfig{APIKey: key, BaseURL: "http://api.example.com"})
	assert.ErrorContains(t, err, "https")
}

func TestTheKeyIsAskedForAtEveryCall(t *testing.T) {
	s := newServer(t)
	now := ""
	ear := s.stt(func(cfg *deepgram.STTConfig) { cfg.APIKey = func() string { return now } })
	_, err := ear.Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.Zero(t, s.count())
	now = testKey
	_, err = ear.Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
	assert.NoError(t, err)
}
