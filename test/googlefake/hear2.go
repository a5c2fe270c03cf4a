package googlefake

import (
	"context"
	"net/url"
	"regexp"

	"cloud.google.com/go/speech/apiv2/speechpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ear2 is google.cloud.speech.v2.
type ear2 struct {
	speechpb.UnimplementedSpeechServer
	s *Server
}

var recognizerPath = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/recognizers/([^/]+)$`)

func note2(ctx context.Context, recognizer string, cfg *speechpb.RecognitionConfig) Hearing {
	h := Hearing{Version: 2, Recognizer: recognizer, Model: cfg.GetModel(), Languages: cfg.GetLanguageCodes(), Config: cfg}
	for _, set := range cfg.GetAdaptation().GetPhraseSets() {
		for _, p := range set.GetInlinePhraseSet().GetPhrases() {
			h.Phrases = append(h.Phrases, p.GetValue())
		}
	}
	h.Header, _ = metadata.FromIncomingContext(ctx)
	return h
}

// check2 refuses what Google would.
func check2(h Hearing, cfg *speechpb.RecognitionConfig) error {
	m := recognizerPath.FindStringSubmatch(h.Recognizer)
	if m == nil {
		return invalid("Invalid resource field value in the request.")
	}
	location, implicit := m[1], m[2] == "_"
	switch {
	case m[2] == "missing":
		return status.Error(codes.NotFound, "Requested entity was not found.")
	case cfg.GetDecodingConfig() == nil && implicit:
		return invalid("Missing decoding config.")
	case h.Model == "" && implicit:
		return invalid("Missing model.")
	case h.Model == "chirp_3" && location == "global":
		return invalid("The model \"chirp_3\" does not exist in the location named \"global\".")
	case len(h.Languages) == 0 && implicit:
		return invalid("Missing language codes.")
	}
	for _, tag := range h.Languages {
		if tag == "auto" && len(h.Languages) == 1 && h.Model != "long" {
			continue
		}
		if !tagPattern.MatchString(tag) {
			return invalid("The language %q is not supported by the model %q in the location named %q.", tag, h.Model, location)
		}
	}
	return checkPhrases(h.Phrases)
}

// language2 is the language of a result that names none.
func language2(r Result, asked []string) string {
	switch {
	case r.Language != "":
		return r.Language
	case len(asked) == 0 || asked[0] == "auto":
		return "en-US"
	}
	return asked[0]
}

// Recognize implements speechpb.SpeechServer.
func (e *ear2) Recognize(ctx context.Context, req *speechpb.RecognizeRequest) (*speechpb.RecognizeResponse, error) {
	h := note2(ctx, req.GetRecognizer(), req.GetConfig())
	h.Sound = req.GetContent()
	e.s.noteHearing(h)
	f := e.s.take(&e.s.speech)
	if err := e.s.strike(ctx, f); err != nil {
		return nil, err
	}
	if got := h.Header.Get("x-goog-request-params"); len(got) != 1 || got[0] != "recognizer="+url.QueryEscape(h.Recognizer) {
		return nil, invalid("The routing header does not name the recognizer.")
	}
	if err := check2(h, req.GetConfig()); err != nil {
		return nil, err
	}
	results, err := e.s.heardAtOnce(h.Sound, "Audio can be of a maximum of 60 seconds.")
	if err != nil {
		return nil, err
	}
	resp := &speechpb.RecognizeResponse{}
	if f.Empty {
		return resp, nil
	}
	for _, r := range results {
		resp.Results = append(resp.Results, &speechpb.SpeechRecognitionResult{
			Alternatives: alternatives2(r), LanguageCode: language2(r, h.Languages),
		})
	}
	return resp, nil
}

// alternatives2 puts a worse guess behind the right one.
func alternatives2(r Result) []*speechpb.SpeechRecognitionAlternative {
	return []*speechpb.SpeechRecognitionAlternative{{Transcript: r.Text, Confidence: r.Confidence}, {Transcript: "a worse guess"}}
}

// StreamingRecognize implements speechpb.SpeechServer.
func (e *ear2) StreamingRecognize(stream speechpb.Speech_StreamingRecognizeServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	cfg := first.GetStreamingConfig().GetConfig()
	h := note2(stream.Context(), first.GetRecognizer(), cfg)
	h.Streamed = true
	end := e.s.noteHearing(h)
	defer func() { end(h) }()
	if first.GetStreamingConfig() == nil {
		return invalid("The first message of a stream must hold its configuration.")
	}
	f := e.s.take(&e.s.speech)
	over, err := e.s.takeSound(stream.Context(), f, &h, func() ([]byte, error) {
		req, err := stream.Recv()
		return req.GetAudio(), err
	})
	if over {
		return err
	}
	if err := check2(h, cfg); err != nil {
		return err
	}
	results, err := e.s.heardInStream(h.Sound)
	if err != nil || f.Empty {
		return err
	}
	for range max(1, f.Answers) {
		for _, r := range results {
			if err := stream.Send(&speechpb.StreamingRecognizeResponse{Results: []*speechpb.StreamingRecognitionResult{{
				Alternatives: alternatives2(r), LanguageCode: language2(r, h.Languages), IsFinal: !r.Interim,
			}}}); err != nil {
				return err
			}
		}
	}
	return nil
}
