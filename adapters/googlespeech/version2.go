package googlespeech

import (
	"context"

	speech "cloud.google.com/go/speech/apiv2"
	"cloud.google.com/go/speech/apiv2/speechpb"
	"google.golang.org/api/option"

	"whatsappnode/adapters/googlecloud"
)

// version2 speaks google.cloud.speech.v2.
type version2 struct {
	client     *speech.Client
	recognizer string
	model      string
}

func newVersion2(p plan, opts []option.ClientOption) (engine, error) {
	client, err := speech.NewClient(context.Background(), opts...) // the context is for dialling, which comes later
	if err != nil {
		return nil, err
	}
	client.CallOptions.Recognize = googlecloud.Once(maxAnswer)
	client.CallOptions.StreamingRecognize = googlecloud.Once(maxAnswer)
	return &version2{client: client, recognizer: p.recognizer, model: p.model}, nil
}

func (v *version2) Close() error { return v.client.Close() }

// config describes the call. What it leaves empty a recognizer decides.
func (v *version2) config(q query) *speechpb.RecognitionConfig {
	cfg := &speechpb.RecognitionConfig{
		DecodingConfig: &speechpb.RecognitionConfig_AutoDecodingConfig{AutoDecodingConfig: &speechpb.AutoDetectDecodingConfig{}},
		Model:          v.model,
		LanguageCodes:  q.languages,
	}
	if len(q.phrases) > 0 {
		set := &speechpb.PhraseSet{}
		for _, p := range q.phrases {
			set.Phrases = append(set.Phrases, &speechpb.PhraseSet_Phrase{Value: p})
		}
		cfg.Adaptation = &speechpb.SpeechAdaptation{PhraseSets: []*speechpb.SpeechAdaptation_AdaptationPhraseSet{{
			Value: &speechpb.SpeechAdaptation_AdaptationPhraseSet_InlinePhraseSet{InlinePhraseSet: set},
		}}}
	}
	return cfg
}

func (v *version2) recognize(ctx context.Context, q query) ([]part, error) {
	resp, err := v.client.Recognize(ctx, &speechpb.RecognizeRequest{
		Recognizer:  v.recognizer,
		Config:      v.config(q),
		AudioSource: &speechpb.RecognizeRequest_Content{Content: q.clip.data},
	})
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, r := range resp.GetResults() {
		parts = append(parts, part2(r.GetAlternatives(), r.GetLanguageCode()))
	}
	return parts, nil
}

// part2 takes the likeliest of the alternatives, which is the first.
func part2(alternatives []*speechpb.SpeechRecognitionAlternative, language string) part {
	p := part{language: language}
	if len(alternatives) > 0 {
		p.text, p.confidence = alternatives[0].GetTranscript(), float64(alternatives[0].GetConfidence())
	}
	return p
}

func (v *version2) open(ctx context.Context, q query) (talk, error) {
	stream, err := v.client.StreamingRecognize(ctx)
	if err != nil {
		return nil, err
	}
	t := talk2{stream}
	_ = stream.Send(&speechpb.StreamingRecognizeRequest{ // if the stream is over already, receive tells why
		Recognizer:       v.recognizer,
		StreamingRequest: &speechpb.StreamingRecognizeRequest_StreamingConfig{StreamingConfig: &speechpb.StreamingRecognitionConfig{Config: v.config(q)}},
	})
	return t, nil
}

type talk2 struct {
	stream speechpb.Speech_StreamingRecognizeClient
}

func (t talk2) send(sound []byte) error {
	return t.stream.Send(&speechpb.StreamingRecognizeRequest{StreamingRequest: &speechpb.StreamingRecognizeRequest_Audio{Audio: sound}})
}

func (t talk2) finish() error { return t.stream.CloseSend() }

func (t talk2) receive() ([]part, error) {
	resp, err := t.stream.Recv()
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, r := range resp.GetResults() {
		if r.GetIsFinal() {
			parts = append(parts, part2(r.GetAlternatives(), r.GetLanguageCode()))
		}
	}
	return parts, nil
}
