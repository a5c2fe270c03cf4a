package googlespeech_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	speech1 "cloud.google.com/go/speech/apiv1/speechpb"
	speech2 "cloud.google.com/go/speech/apiv2/speechpb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

func requireEqualProto(t *testing.T, want, got proto.Message) {
	t.Helper()
	require.True(t, proto.Equal(want, got), "want %v\n got %v", want, got)
}

func auto() *speech2.RecognitionConfig_AutoDecodingConfig {
	return &speech2.RecognitionConfig_AutoDecodingConfig{AutoDecodingConfig: &speech2.AutoDetectDecodingConfig{}}
}

func TestVersion2Request(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, googlespeech.Config{Project: "shop", Location: "eu"})
	clip := recording(t, "hello", 55*time.Second-20*time.Millisecond)
	tr, err := e.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "hello", tr.Text)
	assert.Equal(t, "en-US", tr.Language, "what was detected")
	assert.InDelta(t, 0.9, tr.Confidence, 1e-6)

	h := s.Hearings()
	require.Len(t, h, 1)
	assert.Equal(t, 2, h[0].Version)
	assert.False(t, h[0].Streamed)
	assert.Equal(t, "projects/shop/locations/eu/recognizers/_", h[0].Recognizer)
	assert.Equal(t, clip.Bytes(), h[0].Sound)
	assert.Equal(t, []string{"recognizer=" + url.QueryEscape("projects/shop/locations/eu/recognizers/_")}, h[0].Header.Get("x-goog-request-params"))
	assert.Empty(t, h[0].Header.Get("authorization"))
	requireEqualProto(t, &speech2.RecognitionConfig{DecodingConfig: auto(), Model: "chirp_3", LanguageCodes: []string{"auto"}}, h[0].Config)
}

func TestVersion2LanguagesAndHint(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, googlespeech.Config{Project: "shop", Model: "chirp_2", Languages: []string{"fr"}})
	s.Hears(googlefake.Result{Text: "Guten Tag", Language: "de-de"})
	tr, err := e.Transcribe(t.Context(), recording(t, "", time.Second), ports.STTOptions{
		Languages: []string{"en", "de-AT", "en-US", "zh"}, Hint: "Pöschl & Sons, Zwetschkenknödel;\nCrème, pöschl & sons",
	})
	require.NoError(t, err)
	assert.Equal(t, "de-DE", tr.Language)
	assert.Zero(t, tr.Confidence, "not given")
	phrase := func(s string) *speech2.PhraseSet_Phrase { return &speech2.PhraseSet_Phrase{Value: s} }
	requireEqualProto(t, &speech2.RecognitionConfig{
		DecodingConfig: auto(), Model: "chirp_2", LanguageCodes: []string{"en-US", "de-AT", "cmn-Hans-CN"},
		Adaptation: &speech2.SpeechAdaptation{PhraseSets: []*speech2.SpeechAdaptation_AdaptationPhraseSet{{
			Value: &speech2.SpeechAdaptation_AdaptationPhraseSet_InlinePhraseSet{InlinePhraseSet: &speech2.PhraseSet{
				Phrases: []*speech2.PhraseSet_Phrase{phrase("Pöschl & Sons"), phrase("Zwetschkenknödel"), phrase("Crème")},
			}},
		}}},
	}, s.Hearings()[0].Config)

	_, err = e.Transcribe(t.Context(), recording(t, "", time.Second), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"fr-FR"}, s.Hearings()[1].Languages, "those of the configuration")
}

// TestNamedRecognizerDecides: what nobody says is left to the recognizer.
func TestNamedRecognizerDecides(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, googlespeech.Config{Recognizer: "projects/shop/locations/asia-southeast1/recognizers/orders"})
	_, err := e.Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{})
	require.NoError(t, err)
	h := s.Hearings()[0]
	assert.Equal(t, "projects/shop/locations/asia-southeast1/recognizers/orders", h.Recognizer)
	requireEqualProto(t, &speech2.RecognitionConfig{DecodingConfig: auto()}, h.Config)

	e = ear(t, s, googlespeech.Config{Project: "shop", Location: "eu", Recognizer: "orders", Model: "long"})
	_, err = e.Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{Languages: []string{"it"}})
	require.NoError(t, err)
	h = s.Hearings()[1]
	assert.Equal(t, "projects/shop/locations/eu/recognizers/orders", h.Recognizer)
	requireEqualProto(t, &speech2.RecognitionConfig{DecodingConfig: auto(), Model: "long", LanguageCodes: []string{"it-IT"}}, h.Config)
}

func TestVersion1Request(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, versions["v1"])
	clip := recording(t, "hello", 2*time.Second)
	tr, err := e.Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"en", "de", "he", "ar", "pt"}, Hint: "Pöschl"})
	require.NoError(t, err)
	assert.Equal(t, "en-US", tr.Language, "the service writes en-us")
	h := s.Hearings()[0]
	assert.Equal(t, 1, h.Version)
	assert.Equal(t, clip.Bytes(), h.Sound)
	requireEqualProto(t, &speech1.RecognitionConfig{
		Encoding: speech1.RecognitionConfig_OGG_OPUS, SampleRateHertz: 24_000, Model: "latest_short",
		LanguageCode: "en-US", AlternativeLanguageCodes: []string{"de-DE", "iw-IL", "ar-EG"}, // the fifth has no room
		EnableAutomaticPunctuation: true, SpeechContexts: []*speech1.SpeechContext{{Phrases: []string{"Pöschl"}}},
	}, h.Config)

	_, err = e.Transcribe(t.Context(), recording(t, "hello", 11*time.Second), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "latest_long", s.Hearings()[1].Model)
	assert.Equal(t, []string{"en-US"}, s.Hearings()[1].Languages)

	cfg := versions["v1"]
	cfg.Model = "command_and_search"
	_, err = ear(t, s, cfg).Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "command_and_search", s.Hearings()[2].Model)
}

// TestVersion1SampleRate: the rate is read from the head of the file and brought to
// one that the service takes.
func TestVersion1SampleRate(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, versions["v1"])
	for recorded, want := range map[int]int32{0: 16_000, 8_000: 8_000, 11_025: 12_000, 16_000: 16_000, 22_050: 24_000, 44_100: 48_000, 48_000: 48_000, 96_000: 48_000} {
		assert.Equal(t, want, googlespeech.OpusRate(recorded), recorded)
	}
	data, err := oggopus.Encode(func(yield func([]byte) bool) { yield(oggopus.SilencePacket()) }, oggopus.Options{InputRate: 44_100})
	require.NoError(t, err)
	_, err = e.Transcribe(t.Context(), audio(t, data), ports.STTOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 48_000, s.Hearings()[0].Config.(*speech1.RecognitionConfig).GetSampleRateHertz())
}

// TestVersion1Stereo: version 1 must be told of a second channel.
func TestVersion1Stereo(t *testing.T) {
	s := googlefake.Start(t)
	e := ear(t, s, versions["v1"])
	_, err := e.Transcribe(t.Context(), audio(t, twoChannels(t)), ports.STTOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.Hearings()[0].Config.(*speech1.RecognitionConfig).GetAudioChannelCount())
}

// twoChannels is a stereo file: the count in its head is changed and the page's
// checksum made right again.
func twoChannels(t *testing.T) []byte {
	data := bytes.Clone(recording(t, "hello", time.Second).Bytes())
	const page, channels = 28 + 19, 28 + 9
	data[channels] = 2
	sum := uint32(0)
	copy(data[22:26], make([]byte, 4))
	for _, b := range data[:page] {
		sum ^= uint32(b) << 24
		for range 8 {
			if sum&(1<<31) != 0 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
	}
	data[22], data[23], data[24], data[25] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	return data
}

// TestSeveralResults: a clip with pauses comes in several results.
func TestSeveralResults(t *testing.T) {
	type result = googlefake.Result
	for name, tt := range map[string]struct {
		results    []result
		text       string
		language   string
		confidence float64
	}{
		"spaces are as they should be": {[]result{{Text: "Good morning."}, {Text: " How are you? "}, {Text: "Fine"}}, "Good morning. How are you? Fine", "en-US", 0},
		"scripts without spaces":       {[]result{{Text: "こんにちは。", Language: "ja-JP"}, {Text: "元気ですか", Language: "ja-JP"}}, "こんにちは。元気ですか", "ja-JP", 0},
		"most is said in German":       {[]result{{Text: "Well.", Language: "en-us"}, {Text: "Wo bleibt meine Bestellung?", Language: "de-de"}}, "Well. Wo bleibt meine Bestellung?", "de-DE", 0},
		"confidence weighs by length":  {[]result{{Text: "abcdef", Confidence: 0.9}, {Text: "ab", Confidence: 0.1}, {Text: "unknown"}}, "abcdef ab unknown", "en-US", (6*0.9 + 2*0.1) / 8},
		"more than certain":            {[]result{{Text: "yes", Confidence: 1.5}}, "yes", "en-US", 1},
		"blank results are silence":    {[]result{{Text: " ", Confidence: 0.9, Language: "de-DE"}, {}}, "", "", 0},
		"nothing is silence":           {nil, "", "", 0},
		"a language nobody knows":      {[]result{{Text: "hm", Language: "??"}}, "hm", "en-US", 0},
	} {
		for version, cfg := range versions {
			t.Run(name+"/"+version, func(t *testing.T) {
				s := googlefake.Start(t)
				s.Hears(tt.results...)
				for _, length := range []time.Duration{time.Second, time.Minute} {
					tr, err := ear(t, s, cfg).Transcribe(t.Context(), recording(t, "x", length), ports.STTOptions{Languages: []string{"en"}})
					require.NoError(t, err)
					assert.Equal(t, tt.text, tr.Text)
					assert.Equal(t, tt.language, tr.Language)
					assert.InDelta(t, tt.confidence, tr.Confidence, 1e-6)
				}
			})
		}
	}
}

func TestEmptyAnswerIsSilence(t *testing.T) {
	for version, cfg := range versions {
		t.Run(version, func(t *testing.T) {
			s := googlefake.Start(t)
			s.BreakSpeech(googlefake.Faults{Empty: true})
			for _, length := range []time.Duration{time.Second, time.Minute} {
				tr, err := ear(t, s, cfg).Transcribe(t.Context(), recording(t, "hello", length), ports.STTOptions{})
				require.NoError(t, err)
				assert.Zero(t, tr)
			}
		})
	}
}

func TestLanguageThatIsNoTag(t *testing.T) {
	s := googlefake.Start(t)
	_, err := ear(t, s, versions["v2"]).Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{Languages: []string{"en", "!"}})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Empty(t, s.Hearings())
}

func TestLanguageTags(t *testing.T) {
	for tag, want := range map[string][2]string{ // version 2, version 1
		"en": {"en-US", "en-US"}, "EN_us": {"en-US", "en-US"}, "en-001": {"en-US", "en-US"}, "de-AT": {"de-AT", "de-AT"},
		"pt": {"pt-BR", "pt-BR"}, "es": {"es-ES", "es-ES"}, "es-419": {"es-US", "es-US"}, "he": {"iw-IL", "iw-IL"}, "iw-IL": {"iw-IL", "iw-IL"},
		"nb": {"no-NO", "no-NO"}, "no": {"no-NO", "no-NO"}, "tl": {"fil-PH", "fil-PH"}, "sw": {"sw-KE", "sw-KE"}, "sw-TZ": {"sw-TZ", "sw-TZ"}, "nn": {"no-NO", "no-NO"}, "pa": {"pa-Guru-IN", "pa-Guru-IN"},
		"ar": {"ar-XA", "ar-EG"}, "ar-MA": {"ar-MA", "ar-MA"}, "ar-XA": {"ar-XA", "ar-XA"},
		"zh": {"cmn-Hans-CN", "cmn-Hans-CN"}, "cmn-Hans-CN": {"cmn-Hans-CN", "cmn-Hans-CN"}, "zh-Hant": {"cmn-Hant-TW", "cmn-Hant-TW"}, "zh-HK": {"yue-Hant-HK", "yue-Hant-HK"},
		"tlh": {"tlh", "tlh"}, "auto": {"auto", ""}, "": {"", ""}, "und": {"", ""}, "x y": {"", ""},
	} {
		two, _ := googlespeech.GoogleTag(tag, true)
		one, _ := googlespeech.GoogleTag(tag, false)
		assert.Equal(t, want, [2]string{two, one}, tag)
	}
	for google, want := range map[string]string{"en-us": "en-US", "iw-IL": "he-IL", "cmn-hans-cn": "zh-Hans-CN", "pa-Guru-IN": "pa-IN", "auto": "", "und": "", "": ""} {
		assert.Equal(t, want, googlespeech.StandardTag(google), google)
	}
}

func TestPhrases(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("eleven char ", 20)) // 12 characters each
	for hint, want := range map[string][]string{
		"":                         nil,
		" , ;\n":                   nil,
		"Pöschl":                   {"Pöschl"},
		"one two,  three ;four\nX": {"one two", "three", "four", "X"},
		"$MONTH, a$b":              {"MONTH", "a b"},
		"Twice, twice":             {"Twice"},
		"東京、大阪":                    {"東京", "大阪"},
		strings.Repeat("x", 101):   nil,
		"bad\xffbytes":             {"bad bytes"},
	} {
		assert.Equal(t, want, googlespeech.Phrases(hint), hint)
	}
	cut := googlespeech.Phrases(long)
	assert.Equal(t, strings.TrimSpace(strings.Repeat("eleven char ", 8)), cut[0])
	for _, p := range cut {
		assert.LessOrEqual(t, len(p), 100)
	}
	assert.Len(t, googlespeech.Phrases(strings.Join(strings.Fields(strings.Repeat("x ", 3)), ",")+","+numbered(700)), 500)
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("i", 1+i/26) + string(rune('a'+i%26)) + ",")
	}
	return b.String()
}
