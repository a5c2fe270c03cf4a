package elevenlabs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/elevenlabs"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func withKeyterms(cfg *elevenlabs.STTConfig) { cfg.Keyterms = true }

func TestTranscribeSendsTheFormOfCreateTranscript(t *testing.T) {
	s := newServer(t)
	clip := spoken(t, "Where is my umbrella?", time.Second)
	got, err := s.stt().Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"en-GB"}, Hint: "Umbrella Ltd"})
	require.NoError(t, err)
	assert.Equal(t, "Where is my umbrella?", got.Text)
	assert.Equal(t, "en-GB", got.Language, "one allowed language is taken as it was named")
	assert.InDelta(t, math.Exp(-0.1), got.Confidence, 1e-9, "spaces do not count")

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/v1/speech-to-text", q.path)
	assert.Empty(t, q.query)
	assert.Equal(t, testKey, q.header.Get("Xi-Api-Key"))
	assert.Empty(t, q.header.Get("Authorization"))
	assert.Equal(t, map[string][]string{
		"model_id": {"scribe_v2"}, "tag_audio_events": {"false"}, "timestamps_granularity": {"word"}, "language_code": {"en"},
	}, q.fields)
	assert.Equal(t, clip.Bytes(), q.file)
	assert.Equal(t, map[string][]string{
		"Content-Disposition": {`form-data; name="file"; filename="voice.ogg"`}, "Content-Type": {"audio/ogg"},
	}, q.fileHeader)
}

func TestLanguageIsToldOnlyWhenItIsCertain(t *testing.T) {
	for name, c := range map[string]struct{ allowed, sent []string }{
		"none":             {nil, nil},
		"one":              {[]string{"es-MX"}, []string{"es"}},
		"three letters":    {[]string{"spa"}, []string{"es"}},
		"Mandarin":         {[]string{"cmn"}, []string{"zh"}},
		"Cantonese":        {[]string{"yue"}, []string{"yue"}},
		"Norwegian Bokmål": {[]string{"nb"}, []string{"no"}},
		"two":              {[]string{"es", "en"}, nil},
	} {
		s := newServer(t)
		_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{Languages: c.allowed})
		require.NoError(t, err, name)
		assert.Equal(t, c.sent, s.last().fields["language_code"], name)
	}
	s := newServer(t)
	_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{Languages: []string{"not a tag"}})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	assert.Zero(t, s.count())
}

func TestDetectedLanguageBecomesATag(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		allowed []string
		want    string
	}{
		"Spanish":            {`{"text":"hola","language_code":"spa","language_probability":0.9}`, nil, "es"},
		"short code":         {`{"text":"hola","language_code":"es","language_probability":0.9}`, nil, "es"},
		"as it is allowed":   {`{"text":"olá","language_code":"por","language_probability":0.9}`, []string{"en", "pt-BR", "pt-PT"}, "pt-BR"},
		"not among them":     {`{"text":"hola","language_code":"spa","language_probability":0.9}`, []string{"en", "fr"}, "es"},
		"Filipino":           {`{"text":"oo","language_code":"tgl"}`, nil, "fil"},
		"no ISO 639-1 code":  {`{"text":"oo","language_code":"ceb"}`, nil, "ceb"},
		"doubtful":           {`{"text":"hm","language_code":"spa","language_probability":0.3}`, nil, ""},
		"doubtful but told":  {`{"text":"hm","language_code":"spa","language_probability":0.3}`, []string{"es"}, "es"},
		"nonsense":           {`{"text":"hm","language_code":"klingon"}`, nil, ""},
		"undetermined":       {`{"text":"hm","language_code":"und"}`, nil, ""},
		"none":               {`{"text":"hm"}`, nil, ""},
		"null probabilities": {`{"text":"hm","language_code":"deu","language_probability":null,"words":null}`, nil, "de"},
	} {
		s := newServer(t).answers(http.StatusOK, c.answer)
		got, err := s.stt().Transcribe(t.Context(), spoken(t, "", time.Second), ports.STTOptions{Languages: c.allowed})
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got.Language, name)
		assert.Zero(t, got.Confidence, name)
	}
}

func TestConfidenceIsThatOfTheWords(t *testing.T) {
	for name, c := range map[string]struct {
		words string
		want  float64
	}{
		"mean":             {`[{"type":"word","logprob":-1},{"type":"spacing","logprob":-50},{"type":"word","logprob":-3},{"type":"audio_event","logprob":-50}]`, math.Exp(-2)},
		"all certain":      {`[{"type":"word","logprob":0},{"type":"word","logprob":0.0}]`, 0},
		"not said":         {`[{"type":"word"},{"type":"word","logprob":null}]`, 0},
		"no words":         {`[]`, 0},
		"above the bounds": {`[{"type":"word","logprob":5},{"type":"word","logprob":-2}]`, math.Exp(-1)},
	} {
		s := newServer(t).answers(http.StatusOK, `{"text":"hm","language_code":"eng","language_probability":0.2,"words":`+c.words+`}`)
		got, err := s.stt().Transcribe(t.Context(), spoken(t, "", time.Second), ports.STTOptions{})
		require.NoError(t, err, name)
		assert.InDelta(t, c.want, got.Confidence, 1e-9, name)
	}
}

func TestSilenceIsAnEmptyTranscript(t *testing.T) {
	s := newServer(t).answers(http.StatusOK, `{"text":" \n","language_code":"eng","language_probability":1,"words":[{"type":"word","logprob":-1}]}`)
	got, err := s.stt().Transcribe(t.Context(), spoken(t, "", time.Second), ports.STTOptions{Languages: []string{"en"}})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{}, got)

	blink := newServer(t)
	got, err = blink.stt().Transcribe(t.Context(), spoken(t, "x", 40*time.Millisecond), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{}, got)
	assert.Zero(t, blink.count(), "ElevenLabs refuses clips under 100 ms")
}

func TestKeytermsAreSentWhereTheyArePaidFor(t *testing.T) {
	hint := "Oppenheim & Söhne, BX-17;  Anna \t Müller ,,\nsix words are too many here," + strings.Repeat("x", 50) + ",<b>bold</b>,a\\b"
	want := []string{"Oppenheim & Söhne", "BX-17", "Anna Müller"}
	s := newServer(t)
	_, err := s.stt(withKeyterms).Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{Hint: hint})
	require.NoError(t, err)
	assert.Equal(t, want, s.last().fields["keyterms"])

	s = newServer(t)
	_, err = s.stt(withKeyterms).Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{Hint: strings.Repeat("term,", 500)})
	require.NoError(t, err)
	assert.Len(t, s.last().fields["keyterms"], 100)

	s = newServer(t)
	old := s.stt(withKeyterms, func(cfg *elevenlabs.STTConfig) { cfg.Model = "scribe_v1" })
	_, err = old.Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{Hint: hint})
	require.NoError(t, err)
	assert.Empty(t, s.last().fields["keyterms"], "scribe_v1 refuses them")
	assert.Equal(t, []string{"scribe_v1"}, s.last().fields["model_id"])
}

func TestZeroRetentionIsAskedFor(t *testing.T) {
	s := newServer(t)
	_, err := s.stt(func(cfg *elevenlabs.STTConfig) { cfg.ZeroRetention = true }).Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "enable_logging=false", s.last().query)
	_, err = s.tts(func(cfg *elevenlabs.TTSConfig) { cfg.ZeroRetention = true }).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Equal(t, "enable_logging=false&output_format=opus_48000_32", s.last().query)
}

func TestClipsOfManyTypesAreTaken(t *testing.T) {
	for mime, c := range map[string]struct {
		data       string
		name, sent string
	}{
		"audio/mpeg":                {"ID3\x04 and so on", "voice.mp3", "audio/mpeg"},
		"audio/mp3":                 {"\xff\xfb\x90\x64", "voice.mp3", "audio/mp3"},
		"audio/aac":                 {"\xff\xf1\x50\x80", "voice.aac", "audio/aac"},
		"audio/mp4; codecs=mp4a.40": {"\x00\x00\x00\x18ftypM4A ", "voice.m4a", "audio/mp4"},
		"Audio/WAV":                 {"RIFF\x24\x00\x00\x00WAVEfmt ", "voice.wav", "audio/wav"},
		"audio/flac":                {"fLaC\x00", "voice.flac", "audio/flac"},
		"audio/webm":                {"\x1a\x45\xdf\xa3\x01", "voice.webm", "audio/webm"},
	} {
		s := newServer(t)
		_, err := s.stt().Transcribe(t.Context(), audio(t, mime, []byte(c.data)), ports.STTOptions{})
		require.NoError(t, err, mime)
		q := s.last()
		assert.Equal(t, c.data, string(q.file), mime)
		assert.Equal(t, []string{c.sent}, q.fileHeader["Content-Type"], mime)
		assert.Contains(t, q.fileHeader["Content-Disposition"][0], `filename="`+c.name+`"`, mime)
	}
	for mime, data := range map[string]string{
		"audio/aac": "\xff\xfb\x90\x64", "audio/mp3": "\xff\xf1\x50\x80", "audio/flac": "OggS", "audio/webm": "RIFF", "audio/amr": "#!AMR\n", "video/mp4": "\x00\x00\x00\x18ftypmp42",
	} {
		s := newServer(t)
		_, err := s.stt().Transcribe(t.Context(), audio(t, mime, []byte(data)), ports.STTOptions{})
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), mime)
		assert.Zero(t, s.count(), mime)
	}
}

func TestRawSamplesBecomeAWAVFile(t *testing.T) {
	samples := make([]int16, 4800)
	for i := range samples {
		samples[i] = int16(i - 2400)
	}
	var raw []byte
	for _, v := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	s := newServer(t)
	_, err := s.stt().Transcribe(t.Context(), audio(t, domain.MIMEPCM+"; rate=24000", raw), ports.STTOptions{})
	require.NoError(t, err)
	got, err := wav.Decode(s.last().file)
	require.NoError(t, err)
	assert.Equal(t, wav.PCM{Rate: 24000, Channels: 1, Samples: samples}, got)
	assert.Equal(t, []string{"audio/wav"}, s.last().fileHeader["Content-Type"])

	for _, mime := range []string{domain.MIMEPCM, domain.MIMEPCM + "; rate=0", domain.MIMEPCM + "; rate=fast", domain.MIMEPCM + "; rate"} {
		_, err := s.stt().Transcribe(t.Context(), audio(t, mime, raw), ports.STTOptions{})
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), mime)
	}
	_, err = s.stt().Transcribe(t.Context(), audio(t, domain.MIMEPCM+"; rate=24000", raw[:101]), ports.STTOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Equal(t, 1, s.count())
}

func TestTranscriptsThatMakeNoSense(t *testing.T) {
	clip := spoken(t, "hello", time.Second)
	for name, body := range map[string]string{
		"no JSON": "OK", "empty": "", "HTML": "<html>", "no text": `{"language_code":"eng"}`, "null": `null`, "wrong type": `{"text":["hello"]}`,
		"cut JSON": `{"text":"hel`, "a webhook's receipt": `{"message":"Request processed","transcription_id":"x"}`,
	} {
		_, err := newServer(t).answers(http.StatusOK, body).stt().Transcribe(t.Context(), clip, ports.STTOptions{})
		assert.Equal(t, ports.KindTransient, ports.KindOf(err), name)
	}
	_, err := newServer(t).answers(http.StatusOK, `{"text":"`+strings.Repeat("x", 16<<20)+`"}`).stt().Transcribe(t.Context(), clip, ports.STTOptions{})
	assert.EqualError(t, err, "elevenlabs.stt: transient: the answer is too large")
	_, err = newServer(t).cuts(`{"text":"hello"`).stt().Transcribe(t.Context(), clip, ports.STTOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "cut")
}

func TestFileThatElevenLabsCannotReadIsUnsupported(t *testing.T) {
	s := newServer(t).answers(http.StatusBadRequest, `{"detail":{"status":"invalid_content","message":"File upload is corrupted."}}`)
	_, err := s.stt().Transcribe(t.Context(), audio(t, domain.MIMEMP3, []byte("ID3 but no more")), ports.STTOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
}

func TestKeyIsAskedAtEveryCall(t *testing.T) {
	s := newServer(t)
	keys := []string{testKey, "", "rotated", "bad\nkey"}
	ear := s.stt(func(cfg *elevenlabs.STTConfig) {
		cfg.APIKey = func() string { k := keys[0]; keys = keys[1:]; return k }
	})
	clip := spoken(t, "hello", time.Second)
	_, err := ear.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	_, err = ear.Transcribe(t.Context(), clip, ports.STTOptions{})
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.Equal(t, 1, s.count(), "without a key nothing is asked")
	_, err = ear.Transcribe(t.Context(), clip, ports.STTOptions{})
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.Equal(t, "rotated", s.last().header.Get("Xi-Api-Key"))
	_, err = ear.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "bad")
	assert.Equal(t, 2, s.count())
}

// A call without a deadline must get one; the transport sees it.
func TestCallsAlwaysHaveADeadline(t *testing.T) {
	s := newServer(t)
	var left []time.Duration
	inner := client(t)
	watch := roundTrip(func(r *http.Request) (*http.Response, error) {
		at, ok := r.Context().Deadline()
		require.True(t, ok)
		left = append(left, time.Until(at))
		return inner.Transport.RoundTrip(r)
	})
	ear := s.stt(func(cfg *elevenlabs.STTConfig) { cfg.Client = &http.Client{Transport: watch} })
	_, err := ear.Transcribe(context.WithoutCancel(t.Context()), spoken(t, "hello", time.Second), ports.STTOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err = ear.Transcribe(ctx, spoken(t, "hello", time.Second), ports.STTOptions{})
	require.NoError(t, err)
	require.Len(t, left, 2)
	assert.Less(t, left[0], 10*time.Minute)
	assert.Greater(t, left[1], 10*time.Minute, "the caller's deadline is kept")
}

// When the context ends, a connection may break in any manner.
func TestEndOfTheContextComesFirst(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	broken := roundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, errors.New("use of closed network connection")
	})
	ear := s.stt(func(cfg *elevenlabs.STTConfig) { cfg.Client = &http.Client{Transport: broken} })
	_, err := ear.Transcribe(ctx, spoken(t, "hello", time.Second), ports.STTOptions{})
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
	_, err = ear.Transcribe(t.Context(), spoken(t, "hello", time.Second), ports.STTOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
