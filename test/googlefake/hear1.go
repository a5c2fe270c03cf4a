package googlefake

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/speech/apiv1/speechpb"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ear1 is google.cloud.speech.v1.
type ear1 struct {
	speechpb.UnimplementedSpeechServer
	s *Server
}

func note1(ctx context.Context, cfg *speechpb.RecognitionConfig) Hearing {
	h := Hearing{Version: 1, Model: cfg.GetModel(), Config: cfg}
	h.Languages = append([]string{cfg.GetLanguageCode()}, cfg.GetAlternativeLanguageCodes()...)
	for _, c := range cfg.GetSpeechContexts() {
		h.Phrases = append(h.Phrases, c.GetPhrases()...)
	}
	h.Header, _ = metadata.FromIncomingContext(ctx)
	return h
}

// check1 refuses what Google would.
func check1(h Hearing, cfg *speechpb.RecognitionConfig) error {
	const bad = "Invalid recognition 'config': "
	switch {
	case cfg.GetEncoding() != speechpb.RecognitionConfig_OGG_OPUS:
		return invalid(bad + "bad encoding.")
	case !slices.Contains([]int32{8000, 12000, 16000, 24000, 48000}, cfg.GetSampleRateHertz()):
		return invalid(bad + "Opus sample rate not in supported rates.")
	case len(cfg.GetAlternativeLanguageCodes()) > 3:
		return invalid(bad + "too many alternative codes.")
	}
	for _, tag := range h.Languages {
		if !tagPattern.MatchString(tag) {
			return invalid(bad + "bad language code.")
		}
	}
	return checkPhrases(h.Phrases)
}

func language1(r Result, asked []string) string {
	if r.Language != "" {
		return r.Language
	}
	return strings.ToLower(asked[0]) // as version 1 does
}

// Recognize implements speechpb.SpeechServer.
func (e *ear1) Recognize(ctx context.Context, req *speechpb.RecognizeRequest) (*speechpb.RecognizeResponse, error) {
	h := note1(ctx, req.GetConfig())
	h.Sound = req.GetAudio().GetContent()
	e.s.noteHearing(h)
	f := e.s.take(&e.s.speech)
	if err := e.s.strike(ctx, f); err != nil {
		return nil, err
	}
	if err := check1(h, req.GetConfig()); err != nil {
		return nil, err
	}
	results, err := e.s.heardAtOnce(h.Sound, "Sync input too long. For audio longer than 1 min use LongRunningRecognize with a 'uri' parameter.")
	if err != nil {
		return nil, err
	}
	resp := &speechpb.RecognizeResponse{}
	if f.Empty {
		return resp, nil
	}
	for _, r := range results {
		resp.Results = append(resp.Results, &speechpb.SpeechRecognitionResult{
			Alternatives: alternatives1(r), LanguageCode: language1(r, h.Languages),
		})
	}
	return resp, nil
}

// alternatives1 puts a worse guess behind the right one.
func alternatives1(r Result) []*speechpb.SpeechRecognitionAlternative {
	return []*speechpb.SpeechRecognitionAlternative{{Transcript: r.Text, Confidence: r.Confidence}, {Transcript: "a worse guess"}}
}

// StreamingRecognize implements speechpb.SpeechServer.
func (e *ear1) StreamingRecognize(stream speechpb.Speech_StreamingRecognizeServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	cfg := first.GetStreamingConfig().GetConfig()
	h := note1(stream.Context(), cfg)
	h.Streamed = true
	end := e.s.noteHearing(h)
	defer func() { end(h) }()
	if first.GetStreamingConfig() == nil {
		return invalid("Malordered Data Received. Expected streaming_config none was set.")
	}
	f := e.s.take(&e.s.speech)
	over, err := e.s.takeSound(stream.Context(), f, &h, func() ([]byte, error) {
		req, err := stream.Recv()
		return req.GetAudioContent(), err
	})
	switch {
	case over && err == nil && f.InAnswer:
		return stream.Send(&speechpb.StreamingRecognizeResponse{Error: status.Convert(f.Status).Proto()})
	case over:
		return err
	}
	if err := check1(h, cfg); err != nil {
		return err
	}
	results, err := e.s.heardInStream(h.Sound)
	if err != nil || f.Empty {
		return err
	}
	for range max(1, f.Answers) {
		for _, r := range results {
			if err := stream.Send(&speechpb.StreamingRecognizeResponse{Results: []*speechpb.StreamingRecognitionResult{{
				Alternatives: alternatives1(r), LanguageCode: language1(r, h.Languages), IsFinal: !r.Interim,
			}}}); err != nil {
				return err
			}
		}
	}
	return nil
}
