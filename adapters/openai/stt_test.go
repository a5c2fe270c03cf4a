package openai_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/openai"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const spoken = `{"text":"hello there"}`

// TestTranscriptionRequest is about what goes over the wire.
func TestTranscriptionRequest(t *testing.T) {
	clip := note(t, "hello")
	for name, tt := range map[string]struct {
		cfg    func(*openai.STTConfig)
		opt    ports.STTOptions
		fields map[string][]string
	}{
		"verbose": {nil, ports.STTOptions{}, map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}}},
		"one language": {
			nil,
			ports.STTOptions{Languages: []string{"pt-BR"}, Hint: "Quadros & Cia"},
			map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}, "language": {"pt"}, "prompt": {"Quadros & Cia"}},
		},
		"several languages": {
			nil,
			ports.STTOptions{Languages: []string{"pt-BR", "en"}},
			map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}},
		},
		"Whisper's code":    {nil, ports.STTOptions{Languages: []string{"jv"}}, map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}, "language": {"jw"}}},
		"one for two codes": {nil, ports.STTOptions{Languages: []string{"nb_NO"}}, map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}, "language": {"no"}}},
		"default model": {
			func(c *openai.STTConfig) { c.Model = "" },
			ports.STTOptions{Languages: []string{"pt-BR", "en", "pt-PT", "jv"}, Hint: "Acme"},
			map[string][]string{"model": {"gpt-transcribe"}, "response_format": {"json"}, "languages[]": {"pt", "en", "jv"}, "prompt": {"Acme"}},
		},
		"older model": {
			func(c *openai.STTConfig) { c.Model = "openai/gpt-4o-mini-transcribe" },
			ports.STTOptions{Languages: []string{"en"}},
			map[string][]string{"model": {"openai/gpt-4o-mini-transcribe"}, "response_format": {"json"}, "language": {"en"}},
		},
		"voxtral": {func(c *openai.STTConfig) { c.Model = "mistralai/Voxtral-Mini" }, ports.STTOptions{}, map[string][]string{"model": {"mistralai/Voxtral-Mini"}, "response_format": {"json"}}},
		"by setting": {
			func(c *openai.STTConfig) { c.Model, c.ResponseFormat = "gpt-transcribe", openai.TranscriptVerbose },
			ports.STTOptions{},
			map[string][]string{"model": {"gpt-transcribe"}, "response_format": {"verbose_json"}},
		},
		"auto by name": {
			func(c *openai.STTConfig) { c.ResponseFormat = openai.TranscriptAuto },
			ports.STTOptions{},
			map[string][]string{"model": {"whisper-1"}, "response_format": {"verbose_json"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, says(200, spoken))
			ear := s.stt(func(c *openai.STTConfig) {
				c.Organization = "org-7"
				if tt.cfg != nil {
					tt.cfg(c)
				}
			})
			tr, err := ear.Transcribe(t.Context(), clip, tt.opt)
			require.NoError(t, err)
			assert.Equal(t, "hello there", tr.Text)
			r := s.only()
			assert.Equal(t, http.MethodPost, r.method)
			assert.Equal(t, "/v1/audio/transcriptions", r.path)
			assert.Empty(t, r.query)
			assert.Equal(t, "Bearer "+testKey, r.header.Get("Authorization"))
			assert.Equal(t, "org-7", r.header.Get("OpenAI-Organization"))
			f := readForm(t, r.header, r.body)
			assert.Equal(t, tt.fields, f.fields)
			assert.Equal(t, "file", f.order[0])
			assert.Equal(t, "clip.ogg", f.fileName)
			assert.Equal(t, "audio/ogg", f.fileType)
			assert.Equal(t, clip.Bytes(), f.file)
		})
	}
}

func TestEarWithoutKey(t *testing.T) {
	s := newServer(t, says(200, spoken))
	_, err := s.stt(func(c *openai.STTConfig) { c.APIKey = nil }).Transcribe(t.Context(), note(t, "hello"), ports.STTOptions{})
	require.NoError(t, err)
	assert.NotContains(t, s.only().header, "Authorization")
	assert.NotContains(t, s.only().header, "Openai-Organization")
}

// TestFilesAreNamedForWhatTheyAre: servers go by the name's extension.
func TestFilesAreNamedForWhatTheyAre(t *testing.T) {
	mp4 := "\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00"
	for mime, tt := range map[string]struct{ data, name, kind string }{
		"audio/opus":            {string(note(t, "x").Bytes()), "clip.ogg", "audio/ogg"},
		"Audio/Ogg;codecs=opus": {string(note(t, "x").Bytes()), "clip.ogg", "audio/ogg"},
		"audio/x-wav":           {string(silentWAV(time.Second)), "clip.wav", "audio/wav"},
		"audio/mpeg":            {string(silentMP3(time.Second)), "clip.mp3", "audio/mpeg"},
		"audio/mp4":             {mp4, "clip.m4a", "audio/mp4"},
		"audio/aac":             {"\xff\xf1\x50\x80", "clip.aac", "audio/aac"},
		"audio/amr":             {"#!AMR\n", "clip.amr", "audio/amr"},
		"audio/webm":            {"\x1a\x45\xdf\xa3", "clip.webm", "audio/webm"},
		"audio/flac":            {"fLaC", "clip.flac", "audio/flac"},
	} {
		t.Run(mime, func(t *testing.T) {
			s := newServer(t, says(200, spoken))
			_, err := s.stt().Transcribe(t.Context(), clip(t, mime, []byte(tt.data)), ports.STTOptions{})
			require.NoError(t, err)
			f := readForm(t, s.only().header, s.only().body)
			assert.Equal(t, tt.name, f.fileName)
			assert.Equal(t, tt.kind, f.fileType)
			assert.Equal(t, tt.data, string(f.file))
		})
	}
}

func TestClipsThatAreNotSent(t *testing.T) {
	for name, c := range map[string]domain.Audio{
		"AAC called MP3":  clip(t, "audio/mpeg", []byte("\xff\xf1\x50\x80")),
		"MP3 called AAC":  clip(t, "audio/aac", silentMP3(time.Second)),
		"raw samples":     clip(t, "audio/l16; rate=16000", make([]byte, 3200)),
		"25 MB and a bit": clip(t, "audio/wav", silentWAV(8*time.Minute+41*time.Second)),
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, says(200, spoken))
			_, err := s.stt().Transcribe(t.Context(), c, ports.STTOptions{})
			kindIs(t, ports.KindUnsupported, err)
			assert.Zero(t, s.calls())
		})
	}
}

// TestServerThatReadsNoOpus gets WAV.
func TestServerThatReadsNoOpus(t *testing.T) {
	s := newServer(t, says(200, spoken))
	ear := s.stt(func(c *openai.STTConfig) { c.SendWAV = true })
	_, err := ear.Transcribe(t.Context(), note(t, "hello"), ports.STTOptions{})
	require.NoError(t, err)
	f := readForm(t, s.only().header, s.only().body)
	assert.Equal(t, "clip.wav", f.fileName)
	assert.Equal(t, "audio/wav", f.fileType)
	pcm, err := wav.Decode(f.file)
	require.NoError(t, err)
	assert.Equal(t, 16_000, pcm.Rate)
	assert.Equal(t, time.Second, pcm.Duration())
}

// TestWAVIsLargerThanOpus: the limit is that of what is sent.
func TestWAVIsLargerThanOpus(t *testing.T) {
	long, err := fake.Clip("x", 14*time.Minute)
	require.NoError(t, err)
	s := newServer(t, says(200, spoken))
	_, err = s.stt().Transcribe(t.Context(), long, ports.STTOptions{})
	require.NoError(t, err)
	_, err = s.stt(func(c *openai.STTConfig) { c.SendWAV = true }).Transcribe(t.Context(), long, ports.STTOptions{})
	assert.Contains(t, kindIs(t, ports.KindUnsupported, err).Error(), "as WAV")
	assert.Equal(t, 1, s.calls())
}

func TestTranscripts(t *testing.T) {
	long := `{"text":" Hello. Bye.","language":"english","segments":[` +
		`{"text":" Hello.","start":0,"end":3,"avg_logprob":-0.1,"no_speech_prob":0.1},` +
		`{"text":" Bye.","start":3,"end":4,"avg_logprob":-0.5,"no_speech_prob":0.2}]}`
	seg := func(text string, logProb, noSpeech float64) string {
		b, _ := json.Marshal(map[string]any{"text": text, "start": 0, "end": 2, "avg_logprob": logProb, "no_speech_prob": noSpeech})
		return string(b)
	}
	for name, tt := range map[string]struct {
		answer  string
		form    string
		allowed []string
		want    domain.Transcript
	}{
		"verbose":           {answer: long, want: domain.Transcript{Text: "Hello. Bye.", Language: "en", Confidence: 0.8187}},
		"duration as text":  {answer: `{"text":"Hello","language":"en","duration":"2.5"}`, want: domain.Transcript{Text: "Hello", Language: "en"}},
		"language code":     {answer: `{"text":"Hello","language":"EN"}`, want: domain.Transcript{Text: "Hello", Language: "en"}},
		"language and land": {answer: `{"text":"Hello","language":"pt_BR"}`, want: domain.Transcript{Text: "Hello", Language: "pt-BR"}},
		"capital name":      {answer: `{"text":"Hola","language":"Spanish"}`, want: domain.Transcript{Text: "Hola", Language: "es"}},
		"two words":         {answer: `{"text":"Bonjou","language":"haitian creole"}`, want: domain.Transcript{Text: "Bonjou", Language: "ht"}},
		"Whisper's code":    {answer: `{"text":"Halo","language":"jw"}`, want: domain.Transcript{Text: "Halo", Language: "jv"}},
		"three letters":     {answer: `{"text":"x","language":"cantonese"}`, want: domain.Transcript{Text: "x", Language: "yue"}},
		"no language":       {answer: `{"text":"Hello"}`, want: domain.Transcript{Text: "Hello"}},
		"unknown language":  {answer: `{"text":"Hello","language":"auto"}`, want: domain.Transcript{Text: "Hello"}},
		"undetermined":      {answer: `{"text":"Hello","language":"und"}`, want: domain.Transcript{Text: "Hello"}},
		"the only allowed":  {answer: `{"text":"Hello"}`, allowed: []string{"en-GB"}, want: domain.Transcript{Text: "Hello", Language: "en-GB"}},
		"several allowed":   {answer: `{"text":"Hello"}`, allowed: []string{"en-GB", "es"}, want: domain.Transcript{Text: "Hello"}},
		"as it was allowed": {answer: `{"text":"Oi","language":"portuguese"}`, allowed: []string{"en", "pt-BR"}, want: domain.Transcript{Text: "Oi", Language: "pt-BR"}},
		"close relatives":   {answer: `{"text":"Hei","language":"norwegian"}`, allowed: []string{"en", "nb"}, want: domain.Transcript{Text: "Hei", Language: "nb"}},
		"not allowed":       {answer: `{"text":"Oi","language":"portuguese"}`, allowed: []string{"en", "es"}, want: domain.Transcript{Text: "Oi", Language: "pt"}},
		"list of languages": {answer: `{"text":"Bonjour","languages":[{"code":"fr"},{"code":"en"}]}`, want: domain.Transcript{Text: "Bonjour", Language: "fr"}},
		"empty list":        {answer: `{"text":"Mm","languages":[]}`, want: domain.Transcript{Text: "Mm"}},
		"text":              {answer: "Hello there.\n", form: openai.TranscriptText, want: domain.Transcript{Text: "Hello there."}},

		"no confidence":          {answer: `{"text":"Hi","segments":[{"text":"Hi"}]}`, want: domain.Transcript{Text: "Hi"}},
		"zero is no probability": {answer: `{"text":"Hi","segments":[` + seg("Hi", 0, 0) + `]}`, want: domain.Transcript{Text: "Hi"}},
		"null values":            {answer: `{"text":"Hi","language":null,"segments":[{"text":"Hi","avg_logprob":null,"no_speech_prob":null}]}`, want: domain.Transcript{Text: "Hi"}},

		"nothing":                   {answer: `{"text":"","language":"english","segments":[]}`},
		"white space":               {answer: `{"text":" \n"}`},
		"dots":                      {answer: `{"text":" ..."}`},
		"invented":                  {answer: `{"text":" Thank you.","language":"english","segments":[` + seg(" Thank you.", -0.9, 0.7) + `]}`},
		"all invented":              {answer: `{"text":" Thank you. Bye.","segments":[` + seg(" Thank you.", -0.9, 0.7) + `,` + seg(" Bye.", -1.2, 0.9) + `]}`},
		"quiet but sure":            {answer: `{"text":"Yes.","segments":[` + seg("Yes.", -0.2, 0.8) + `]}`, want: domain.Transcript{Text: "Yes.", Confidence: 0.8187}},
		"unsure but loud":           {answer: `{"text":"Yes.","segments":[` + seg("Yes.", -0.9, 0.1) + `]}`, want: domain.Transcript{Text: "Yes.", Confidence: 0.4066}},
		"invented at the end":       {answer: `{"text":" Two tickets. Thank you.","segments":[` + seg(" Two tickets.", -0.2, 0.1) + `,` + seg(" Thank you.", -0.9, 0.7) + `]}`, want: domain.Transcript{Text: "Two tickets.", Confidence: 0.8187}},
		"invented between":          {answer: `{"text":" One two three","segments":[` + seg(" One", -0.2, 0.1) + `,` + seg(" two", -0.9, 0.7) + `,` + seg(" three", -0.2, 0.1) + `]}`, want: domain.Transcript{Text: "One three", Confidence: 0.8187}},
		"invented between, trimmed": {answer: `{"text":"One two three","segments":[` + seg("One", -0.2, 0.1) + `,` + seg("two", -0.9, 0.7) + `,` + seg("three", -0.2, 0.1) + `]}`, want: domain.Transcript{Text: "One three", Confidence: 0.8187}},
		"remark":                    {answer: `{"text":" [BLANK_AUDIO]\n"}`},
		"remarks":                   {answer: `{"text":"(wind blowing) *coughs* ♪ la la ♪"}`},
		"remark and words":          {answer: `{"text":"[coughs] Hello"}`, want: domain.Transcript{Text: "[coughs] Hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, says(200, tt.answer))
			ear := s.stt(func(c *openai.STTConfig) { c.ResponseFormat = tt.form })
			got, err := ear.Transcribe(t.Context(), note(t, "x"), ports.STTOptions{Languages: tt.allowed})
			require.NoError(t, err)
			assert.InDelta(t, tt.want.Confidence, got.Confidence, 0.0001)
			got.Confidence = tt.want.Confidence
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestEarFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   ports.Kind // empty: an empty transcript
	}{
		"format":             {400, `{"error":{"message":"Invalid file format. Supported formats: ['flac', 'ogg'] ` + secretWords + `","type":"invalid_request_error","param":"file","code":null}}`, ports.KindUnsupported},
		"undecodable":        {400, `{"error":{"message":"The audio file could not be decoded or its format is not supported."}}`, ports.KindUnsupported},
		"too long":           {400, `{"error":{"message":"audio duration 1670 seconds is longer than 1500 seconds which is the maximum for this model","code":"invalid_value"}}`, ports.KindUnsupported},
		"too large":          {413, `{"error":{"message":"413: Maximum content size limit (26214400) exceeded"}}`, ports.KindUnsupported},
		"faster-whisper":     {500, `Internal Server Error: Invalid data found when processing input`, ports.KindUnsupported},
		"fastapi":            {422, `{"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required"}]}`, ports.KindInvalid},
		"form of answer":     {400, `{"error":{"message":"response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'.","param":"response_format","code":"unsupported_value"}}`, ports.KindInvalid},
		"too short":          {400, `{"error":{"message":"Audio file is too short. Minimum audio length is 0.1 seconds.","type":"invalid_request_error","param":"file","code":"audio_too_short"}}`, ""},
		"whisper.cpp":        {200, `{"error":"failed to read WAV file"}`, ports.KindUnsupported},
		"whisper.cpp, model": {200, `{"error":"failed to process audio"}`, ports.KindTransient},
		"a page":             {200, `<html>` + secretWords + `</html>`, ports.KindTransient},
		"no text":            {200, `{"language":"en"}`, ports.KindTransient},
		"cut":                {200, `{"text":"` + secretWords, ports.KindTransient},
		"no body":            {200, ``, ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, says(tt.status, tt.body))
			tr, err := s.stt().Transcribe(t.Context(), note(t, secretWords), ports.STTOptions{Hint: secretWords})
			assert.Zero(t, tr)
			if tt.kind == "" {
				require.NoError(t, err)
				return
			}
			kindIs(t, tt.kind, err)
		})
	}
	t.Run("cut connection", func(t *testing.T) {
		s := newServer(t, streams(cut, `{"text":"`+secretWords))
		_, err := s.stt().Transcribe(t.Context(), note(t, "x"), ports.STTOptions{})
		kindIs(t, ports.KindTransient, err)
	})
	t.Run("endless answer", func(t *testing.T) {
		s := newServer(t, says(200, string(make([]byte, 16<<20+1))))
		_, err := s.stt().Transcribe(t.Context(), note(t, "x"), ports.STTOptions{})
		assert.Contains(t, kindIs(t, ports.KindTransient, err).Error(), "16 MB")
	})
}
