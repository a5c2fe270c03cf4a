package googlespeech

import (
	"context"
	"time"

	speech "cloud.google.com/go/speech/apiv1"
	"cloud.google.com/go/speech/apiv1/speechpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/status"

	"whatsappnode/adapters/googlecloud"
)

const (
	// shortSpeech is up to where the model for "a few seconds" of speech is used.
	shortSpeech = 10 * time.Second
	// maxAlternatives is how many languages version 1 takes beside the first.
	maxAlternatives = 3
	// usualRate is assumed for a recording that does not tell its rate.
	usualRate = 16_000
)

// version1 speaks google.cloud.speech.v1.
type version1 struct {
	client *speech.Client
	model  string
}

func newVersion1(p plan, opts []option.ClientOption) (engine, error) {
	client, err := speech.NewClient(context.Background(), opts...) // the context is for dialling, which comes later
	if err != nil {
		return nil, err
	}
	client.CallOptions.Recognize = googlecloud.Once(maxAnswer)
	client.CallOptions.StreamingRecognize = googlecloud.Once(maxAnswer)
	return &version1{client: client, model: p.model}, nil
}

func (v *version1) Close() error { return v.client.Close() }

func (v *version1) config(q query) *speechpb.RecognitionConfig {
	cfg := &speechpb.RecognitionConfig{
		Encoding:                   speechpb.RecognitionConfig_OGG_OPUS,
		SampleRateHertz:            opusRate(q.clip.rate),
		LanguageCode:               q.languages[0],
		AlternativeLanguageCodes:   q.languages[1:min(len(q.languages), 1+maxAlternatives)],
		EnableAutomaticPunctuation: true,
		Model:                      v.model,
	}
	if q.clip.channels > 1 {
		cfg.AudioChannelCount = int32(q.clip.channels) // #nosec G115 -- one channel or two
	}
	if cfg.Model == "" {
		cfg.Model = "latest_long"
		if q.clip.length <= shortSpeech {
			cfg.Model = "latest_short"
		}
	}
	if len(q.phrases) > 0 {
		cfg.SpeechContexts = []*speechpb.SpeechContext{{Phrases: q.phrases}}
	}
	return cfg
}

// opusRate is the lowest rate that Opus knows and that loses nothing of a recording
// at the given rate; version 1 refuses all others.
func opusRate(recorded int) int32 {
	if recorded <= 0 {
		recorded = usualRate
	}
	for _, rate := range []int32{8_000, 12_000, 16_000, 24_000} {
		if recorded <= int(rate) {
			return rate
		}
	}
	return 48_000
}

func (v *version1) recognize(ctx context.Context, q query) ([]part, error) {
	resp, err := v.client.Recognize(ctx, &speechpb.RecognizeRequest{
		Config: v.config(q),
		Audio:  &speechpb.RecognitionAudio{AudioSource: &speechpb.RecognitionAudio_Content{Content: q.clip.data}},
	})
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, r := range resp.GetResults() {
		parts = append(parts, part1(r.GetAlternatives(), r.GetLanguageCode()))
	}
	return parts, nil
}

// part1 takes the likeliest of the alternatives, which is the first.
func part1(alternatives []*speechpb.SpeechRecognitionAlternative, language string) part {
	p := part{language: language}
	if len(alternatives) > 0 {
		p.text, p.confidence = alternatives[0].GetTranscript(), float64(alternatives[0].GetConfidence())
	}
	return p
}

func (v *version1) open(ctx context.Context, q query) (talk, error) {
	stream, err := v.client.StreamingRecognize(ctx)
	if err != nil {
		return nil, err
	}
	_ = stream.Send(&speechpb.StreamingRecognizeRequest{ // if the stream is over already, receive tells why
		StreamingRequest: &speechpb.StreamingRecognizeRequest_StreamingConfig{StreamingConfig: &speechpb.StreamingRecognitionConfig{Config: v.config(q)}},
	})
	return talk1{stream}, nil
}

type talk1 struct {
	stream speechpb.Speech_StreamingRecognizeClient
}

func (t talk1) send(sound []byte) error {
	return t.stream.Send(&speechpb.StreamingRecognizeRequest{StreamingRequest: &speechpb.StreamingRecognizeRequest_AudioContent{AudioContent: sound}})
}

func (t talk1) finish() error { return t.stream.CloseSend() }

func (t talk1) receive() ([]part, error) {
	resp, err := t.stream.Recv()
	if err != nil {
		return nil, err
	}
	if resp.GetError() != nil { // version 1 may fail inside an answer
		return nil, status.ErrorProto(resp.GetError())
	}
	var parts []part
	for _, r := range resp.GetResults() {
		if r.GetIsFinal() {
			parts = append(parts, part1(r.GetAlternatives(), r.GetLanguageCode()))
		}
	}
	return parts, nil
}
