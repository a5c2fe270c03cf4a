package googletts_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"whatsappnode/adapters/googletts"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

func TestRequest(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	clip, err := v.Synthesize(t.Context(), " Good morning. ", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, measure(t, clip), clip.Duration())
	got := s.Speakings()[0]
	want := &texttospeechpb.SynthesizeSpeechRequest{
		Input:       &texttospeechpb.SynthesisInput{InputSource: &texttospeechpb.SynthesisInput_Text{Text: "Good morning."}},
		Voice:       &texttospeechpb.VoiceSelectionParams{LanguageCode: "en-US"},
		AudioConfig: &texttospeechpb.AudioConfig{AudioEncoding: texttospeechpb.AudioEncoding_OGG_OPUS},
	}
	require.True(t, proto.Equal(want, got.Request), "want %v\n got %v", want, got.Request)
	assert.Empty(t, got.Header.Get("authorization"))
}

func TestFormats(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	for asked, want := range map[string]struct {
		encoding texttospeechpb.AudioEncoding
		mime     string
	}{
		"":                         {texttospeechpb.AudioEncoding_OGG_OPUS, domain.MIMEOggOpus},
		"audio/ogg":                {texttospeechpb.AudioEncoding_OGG_OPUS, domain.MIMEOggOpus},
		"audio/ogg; codecs=opus":   {texttospeechpb.AudioEncoding_OGG_OPUS, domain.MIMEOggOpus},
		`Audio/OGG;codecs="opus"`:  {texttospeechpb.AudioEncoding_OGG_OPUS, domain.MIMEOggOpus},
		"audio/wav":                {texttospeechpb.AudioEncoding_LINEAR16, domain.MIMEWAV},
		"audio/mpeg":               {texttospeechpb.AudioEncoding_MP3, domain.MIMEMP3},
		"audio/ogg; codecs=vorbis": {},
		"audio/l16; rate=24000":    {},
		"audio/aac":                {},
		"nonsense;;":               {},
	} {
		s.Reset()
		clip, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{Format: asked})
		if want.mime == "" {
			assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), asked)
			assert.Empty(t, s.Speakings(), asked)
			continue
		}
		require.NoError(t, err, asked)
		assert.Equal(t, want.mime, clip.MIME(), asked)
		assert.Equal(t, want.encoding, s.Speakings()[0].Encoding, asked)
	}
}

// TestNothingIsMarkup: whatever the model writes is read out as it stands.
func TestNothingIsMarkup(t *testing.T) {
	s := googlefake.Start(t)
	const text = `<speak><break time="9s"/>Hello [pause] & welcome</speak>`
	_, err := voice(t, s, googletts.Config{}).Synthesize(t.Context(), text, ports.TTSOptions{})
	require.NoError(t, err)
	input, ok := s.Speakings()[0].Request.GetInput().GetInputSource().(*texttospeechpb.SynthesisInput_Text)
	require.True(t, ok)
	assert.Equal(t, text, input.Text)
}

// TestLimitIsInBytes: letters with accents count twice, and nothing too long is sent.
func TestLimitIsInBytes(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	for text, fits := range map[string]bool{
		strings.Repeat("a", 5000):                true,
		"\n" + strings.Repeat("a", 5000):         true, // is cut off
		strings.Repeat("a", 5001):                false,
		strings.Repeat("é", 2500):                true,
		strings.Repeat("é", 2500) + "a":          false,
		"x" + strings.Repeat("\U0001f600", 1250): false,
	} {
		s.Reset()
		_, err := v.Synthesize(t.Context(), text, ports.TTSOptions{})
		if fits {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, ports.KindUnsupported, ports.KindOf(err))
		assert.Empty(t, s.Speakings())
	}
}

func TestNothingToSay(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	for _, text := range []string{"", "...", "—!?", "\u200b", "👍", "\xff"} {
		_, err := v.Synthesize(t.Context(), text, ports.TTSOptions{})
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err), text)
	}
	assert.Empty(t, s.Speakings())
	_, err := v.Synthesize(t.Context(), "bad\xffbytes", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Equal(t, "bad bytes", s.Speakings()[0].Text)
}

func TestVoiceByLanguage(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{
		Language: "de",
		Voices: map[string]string{
			"de-DE": "de-DE-Chirp3-HD-Aoede", "en": "en-GB-Neural2-A", "en-au": "en-AU-Wavenet-B",
			"pt-PT": "pt-PT-Wavenet-A", "pt-BR": "pt-BR-Wavenet-B", "es-MX": "es-US-Wavenet-A", "zh": "cmn-CN-Wavenet-A", "fr": "Kore",
		},
	})
	for _, tt := range []struct{ language, asked, code, name string }{
		{"", "", "de-DE", "de-DE-Chirp3-HD-Aoede"},
		{"de", "", "de-DE", "de-DE-Chirp3-HD-Aoede"},
		{"de-AT", "", "de-DE", "de-DE-Chirp3-HD-Aoede"}, // the same voice for every German
		{"en-US", "", "en-GB", "en-GB-Neural2-A"},
		{"en-AU", "", "en-AU", "en-AU-Wavenet-B"},
		{"en", "", "en-GB", "en-GB-Neural2-A"},
		{"pt", "", "pt-BR", "pt-BR-Wavenet-B"}, // where most speak it
		{"pt-PT", "", "pt-PT", "pt-PT-Wavenet-A"},
		{"pt-AO", "", "pt-BR", "pt-BR-Wavenet-B"},
		{"es", "", "es-US", "es-US-Wavenet-A"},
		{"cmn-Hans-CN", "", "cmn-CN", "cmn-CN-Wavenet-A"},
		{"fr", "", "fr-FR", "Kore"}, // a name without a language
		{"it", "", "it-IT", ""},     // Google chooses
		{"nb", "", "nb-NO", ""},
		{"en", "fr-FR-Wavenet-C", "fr-FR", "fr-FR-Wavenet-C"}, // who names a voice settles the language
		{"ja", "Puck", "ja-JP", "Puck"},
	} {
		s.Reset()
		_, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{Language: tt.language, Voice: tt.asked})
		require.NoError(t, err, tt)
		got := s.Speakings()[0]
		assert.Equal(t, tt.code, got.Language, tt)
		assert.Equal(t, tt.name, got.Voice, tt)
	}
	s.Reset()
	for _, opt := range []ports.TTSOptions{{Language: "!"}, {Language: "und"}, {Voice: "no voice"}, {Voice: "x\xff"}} {
		_, err := v.Synthesize(t.Context(), "Hello", opt)
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), opt)
	}
	assert.Empty(t, s.Speakings())
	for _, opt := range []ports.TTSOptions{{Language: "tlh"}, {Voice: "en-US-Unknown-Z"}} {
		_, err := v.Synthesize(t.Context(), "Hello", opt)
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), opt)
	}
	assert.Len(t, s.Speakings(), 2, "the service refused these")
}

func TestLanguageTags(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en-US", "en-gb": "en-GB", "en-001": "en-US", "es-419": "es-US", "ar": "ar-XA", "ar-EG": "ar-XA", "he": "he-IL", "iw": "he-IL",
		"no": "nb-NO", "nn": "nb-NO", "tl": "fil-PH", "zh": "cmn-CN", "zh-Hant": "cmn-TW", "zh-HK": "yue-HK", "yue": "yue-HK", "pa": "pa-IN", "sr-Latn": "sr-RS", "tlh": "tlh", "": "", "x y": "",
	} {
		assert.Equal(t, want, googletts.GoogleTag(tag), tag)
	}
	for name, want := range map[string]string{"de-DE-Wavenet-F": "de-DE", "cmn-CN-Chirp3-HD-Kore": "cmn-CN", "es-419-Standard-A": "es-419", "Kore": "", "a-b-c": "", "de-DE": ""} {
		got, ok := googletts.LanguageOf(name)
		assert.Equal(t, want, got, name)
		assert.Equal(t, want != "", ok, name)
	}
}
