package googlefake_test

import (
	"context"
	"testing"
	"time"

	speech1 "cloud.google.com/go/speech/apiv1/speechpb"
	speech2 "cloud.google.com/go/speech/apiv2/speechpb"
	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"whatsappnode/test/googlefake"
)

func dial(t *testing.T, s *googlefake.Server) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(s.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func recording(t *testing.T, words string, length time.Duration) []byte {
	t.Helper()
	data, err := googlefake.Recording(words, length)
	require.NoError(t, err)
	return data
}

const recognizer = "projects/p/locations/us/recognizers/_"

func routed(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-goog-request-params", "recognizer=projects%2Fp%2Flocations%2Fus%2Frecognizers%2F_")
}

func good2() *speech2.RecognitionConfig {
	return &speech2.RecognitionConfig{
		DecodingConfig: &speech2.RecognitionConfig_AutoDecodingConfig{AutoDecodingConfig: &speech2.AutoDetectDecodingConfig{}},
		Model:          "chirp_3", LanguageCodes: []string{"auto"},
	}
}

// TestVersion2IsStrict: what Google refuses is refused here.
func TestVersion2IsStrict(t *testing.T) {
	s := googlefake.Start(t)
	client := speech2.NewSpeechClient(dial(t, s))
	ask := func(ctx context.Context, path string, clip []byte, edit func(*speech2.RecognitionConfig)) (*speech2.RecognizeResponse, error) {
		cfg := good2()
		edit(cfg)
		return client.Recognize(ctx, &speech2.RecognizeRequest{Recognizer: path, Config: cfg, AudioSource: &speech2.RecognizeRequest_Content{Content: clip}})
	}
	hello := recording(t, "hello", time.Second)
	none := func(*speech2.RecognitionConfig) {}
	resp, err := ask(routed(t.Context()), recognizer, hello, none)
	require.NoError(t, err)
	assert.Equal(t, "hello", resp.GetResults()[0].GetAlternatives()[0].GetTranscript())
	resp, err = ask(routed(t.Context()), recognizer, recording(t, "", time.Second), none)
	require.NoError(t, err)
	assert.Empty(t, resp.GetResults(), "silence")

	for name, try := range map[string]func() error{
		"no routing": func() error { _, err := ask(t.Context(), recognizer, hello, none); return err },
		"wrong path": func() error { _, err := ask(t.Context(), "projects/p", hello, none); return err },
		"too long": func() error {
			_, err := ask(routed(t.Context()), recognizer, recording(t, "hello", time.Minute+time.Second), none)
			return err
		},
		"no sound": func() error { _, err := ask(routed(t.Context()), recognizer, []byte("words"), none); return err },
		"no decoding": func() error {
			_, err := ask(routed(t.Context()), recognizer, hello, func(c *speech2.RecognitionConfig) { c.DecodingConfig = nil })
			return err
		},
		"no model": func() error {
			_, err := ask(routed(t.Context()), recognizer, hello, func(c *speech2.RecognitionConfig) { c.Model = "" })
			return err
		},
		"no language": func() error {
			_, err := ask(routed(t.Context()), recognizer, hello, func(c *speech2.RecognitionConfig) { c.LanguageCodes = nil })
			return err
		},
		"no region": func() error {
			_, err := ask(routed(t.Context()), recognizer, hello, func(c *speech2.RecognitionConfig) { c.LanguageCodes = []string{"en"} })
			return err
		},
		"auto and another": func() error {
			_, err := ask(routed(t.Context()), recognizer, hello, func(c *speech2.RecognitionConfig) { c.LanguageCodes = []string{"auto", "en-US"} })
			return err
		},
		"class in a phrase": func() error { _, err := ask(routed(t.Context()), recognizer, hello, phrase("$NOTHING")); return err },
	} {
		assert.Equal(t, codes.InvalidArgument, status.Code(try()), name)
	}
	assert.Equal(t, recognizer, s.Hearings()[0].Recognizer)
	assert.Equal(t, hello, s.Hearings()[0].Sound)
}

func phrase(p string) func(*speech2.RecognitionConfig) {
	return func(c *speech2.RecognitionConfig) {
		c.Adaptation = &speech2.SpeechAdaptation{PhraseSets: []*speech2.SpeechAdaptation_AdaptationPhraseSet{{
			Value: &speech2.SpeechAdaptation_AdaptationPhraseSet_InlinePhraseSet{InlinePhraseSet: &speech2.PhraseSet{Phrases: []*speech2.PhraseSet_Phrase{{Value: p}}}},
		}}}
	}
}

func TestStreamIsStrict(t *testing.T) {
	s := googlefake.Start(t)
	client := speech2.NewSpeechClient(dial(t, s))
	talk := func(messages ...*speech2.StreamingRecognizeRequest) error {
		stream, err := client.StreamingRecognize(t.Context())
		require.NoError(t, err)
		for _, m := range messages {
			_ = stream.Send(m) // the answer tells
		}
		require.NoError(t, stream.CloseSend())
		_, err = stream.Recv()
		return err
	}
	begin := &speech2.StreamingRecognizeRequest{Recognizer: recognizer, StreamingRequest: &speech2.StreamingRecognizeRequest_StreamingConfig{StreamingConfig: &speech2.StreamingRecognitionConfig{Config: good2()}}}
	sound := func(b []byte) *speech2.StreamingRecognizeRequest {
		return &speech2.StreamingRecognizeRequest{StreamingRequest: &speech2.StreamingRecognizeRequest_Audio{Audio: b}}
	}
	require.NoError(t, talk(begin, sound(recording(t, "hello", time.Minute))))
	assert.Equal(t, codes.InvalidArgument, status.Code(talk(sound(recording(t, "hello", time.Minute)))), "the configuration is missing")
	assert.Equal(t, codes.InvalidArgument, status.Code(talk(begin, sound(make([]byte, 26_000)))), "a large message")
	assert.Equal(t, codes.InvalidArgument, status.Code(talk(begin, sound(nil))), "an empty message")
	long := []*speech2.StreamingRecognizeRequest{begin}
	for rest := recording(t, "hello", 306*time.Second); len(rest) > 0; {
		n := min(len(rest), 20_000)
		long, rest = append(long, sound(rest[:n])), rest[n:]
	}
	assert.Equal(t, codes.OutOfRange, status.Code(talk(long...)), "too long")
}

func TestVersion1IsStrict(t *testing.T) {
	s := googlefake.Start(t)
	client := speech1.NewSpeechClient(dial(t, s))
	ask := func(clip []byte, edit func(*speech1.RecognitionConfig)) error {
		cfg := &speech1.RecognitionConfig{Encoding: speech1.RecognitionConfig_OGG_OPUS, SampleRateHertz: 16_000, LanguageCode: "en-US"}
		edit(cfg)
		_, err := client.Recognize(t.Context(), &speech1.RecognizeRequest{Config: cfg, Audio: &speech1.RecognitionAudio{AudioSource: &speech1.RecognitionAudio_Content{Content: clip}}})
		return err
	}
	hello := recording(t, "hello", time.Second)
	require.NoError(t, ask(hello, func(*speech1.RecognitionConfig) {}))
	for name, edit := range map[string]func(*speech1.RecognitionConfig){
		"rate":     func(c *speech1.RecognitionConfig) { c.SampleRateHertz = 44_100 },
		"no rate":  func(c *speech1.RecognitionConfig) { c.SampleRateHertz = 0 },
		"encoding": func(c *speech1.RecognitionConfig) { c.Encoding = speech1.RecognitionConfig_FLAC },
		"language": func(c *speech1.RecognitionConfig) { c.LanguageCode = "en" },
		"languages": func(c *speech1.RecognitionConfig) {
			c.AlternativeLanguageCodes = []string{"de-DE", "fr-FR", "it-IT", "es-ES"}
		},
	} {
		assert.Equal(t, codes.InvalidArgument, status.Code(ask(hello, edit)), name)
	}
	assert.Equal(t, codes.InvalidArgument, status.Code(ask(recording(t, "hello", time.Minute+time.Second), func(*speech1.RecognitionConfig) {})))
}

func TestVoiceIsStrict(t *testing.T) {
	s := googlefake.Start(t)
	client := texttospeechpb.NewTextToSpeechClient(dial(t, s))
	ask := func(edit func(*texttospeechpb.SynthesizeSpeechRequest)) error {
		req := &texttospeechpb.SynthesizeSpeechRequest{
			Input:       &texttospeechpb.SynthesisInput{InputSource: &texttospeechpb.SynthesisInput_Text{Text: "Hello"}},
			Voice:       &texttospeechpb.VoiceSelectionParams{LanguageCode: "en-US"},
			AudioConfig: &texttospeechpb.AudioConfig{AudioEncoding: texttospeechpb.AudioEncoding_OGG_OPUS},
		}
		edit(req)
		_, err := client.SynthesizeSpeech(t.Context(), req)
		return err
	}
	require.NoError(t, ask(func(*texttospeechpb.SynthesizeSpeechRequest) {}))
	for name, edit := range map[string]func(*texttospeechpb.SynthesizeSpeechRequest){
		"markup": func(r *texttospeechpb.SynthesizeSpeechRequest) {
			r.Input.InputSource = &texttospeechpb.SynthesisInput_Ssml{Ssml: "<speak/>"}
		},
		"too long": func(r *texttospeechpb.SynthesizeSpeechRequest) {
			r.Input.InputSource = &texttospeechpb.SynthesisInput_Text{Text: string(make([]byte, 5001))}
		},
		"no language": func(r *texttospeechpb.SynthesizeSpeechRequest) { r.Voice.LanguageCode = "" },
		"language":    func(r *texttospeechpb.SynthesizeSpeechRequest) { r.Voice.LanguageCode = "tlh" },
		"voice":       func(r *texttospeechpb.SynthesizeSpeechRequest) { r.Voice.Name = "de-DE-Wavenet-A" },
		"no encoding": func(r *texttospeechpb.SynthesizeSpeechRequest) { r.AudioConfig = nil },
	} {
		assert.Equal(t, codes.InvalidArgument, status.Code(ask(edit)), name)
	}
	assert.Equal(t, "Hello", s.Speakings()[0].Text)
}

// TestFaultsEnd: after so many calls, when mended, and with the server itself.
func TestFaultsEnd(t *testing.T) {
	s := googlefake.Start(t)
	client := texttospeechpb.NewTextToSpeechClient(dial(t, s))
	ask := func() codes.Code {
		_, err := client.SynthesizeSpeech(t.Context(), &texttospeechpb.SynthesizeSpeechRequest{
			Input:       &texttospeechpb.SynthesisInput{InputSource: &texttospeechpb.SynthesisInput_Text{Text: "Hello"}},
			Voice:       &texttospeechpb.VoiceSelectionParams{LanguageCode: "en-US"},
			AudioConfig: &texttospeechpb.AudioConfig{AudioEncoding: texttospeechpb.AudioEncoding_MP3},
		})
		return status.Code(err)
	}
	s.BreakVoice(googlefake.Faults{Calls: 2, Status: googlefake.Refusal(codes.ResourceExhausted, "quota", "", time.Second)})
	assert.Equal(t, []codes.Code{codes.ResourceExhausted, codes.ResourceExhausted, codes.OK}, []codes.Code{ask(), ask(), ask()})
	s.BreakVoice(googlefake.Faults{Drop: true})
	assert.Equal(t, codes.Unavailable, ask())
	s.Mend()
	require.Eventually(t, func() bool { return ask() == codes.OK }, 10*time.Second, 10*time.Millisecond)
	s.Stop()
	assert.Equal(t, codes.Unavailable, ask())
}
