package googlefake

import (
	"bytes"
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
	"google.golang.org/grpc/metadata"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
)

const (
	// maxText is in bytes (Google, "Quotas and limits").
	maxText = 5000
	// perLetter is how long one character is spoken.
	perLetter = 60 * time.Millisecond
	voiceRate = 24_000
)

// mouth is google.cloud.texttospeech.v1.
type mouth struct {
	texttospeechpb.UnimplementedTextToSpeechServer
	s *Server
}

// SynthesizeSpeech implements texttospeechpb.TextToSpeechServer. A clip is silent,
// lasts 60 ms a character, and an Ogg/Opus one carries the words in a comment.
func (m *mouth) SynthesizeSpeech(ctx context.Context, req *texttospeechpb.SynthesizeSpeechRequest) (*texttospeechpb.SynthesizeSpeechResponse, error) {
	header, _ := metadata.FromIncomingContext(ctx)
	sp := Speaking{
		Text: req.GetInput().GetText(), Voice: req.GetVoice().GetName(), Language: req.GetVoice().GetLanguageCode(),
		Encoding: req.GetAudioConfig().GetAudioEncoding(), Request: req, Header: header,
	}
	m.s.noteSpeaking(sp)
	f := m.s.take(&m.s.voice)
	if err := m.s.strike(ctx, f); err != nil {
		return nil, err
	}
	if err := checkSpeaking(sp); err != nil {
		return nil, err
	}
	if f.Empty {
		return &texttospeechpb.SynthesizeSpeechResponse{}, nil
	}
	sound := f.Sound
	if sound == nil {
		var err error
		if sound, err = Sound(sp.Text, sp.Encoding); err != nil {
			return nil, err
		}
	}
	return &texttospeechpb.SynthesizeSpeechResponse{AudioContent: sound}, nil
}

// checkSpeaking refuses what Google would.
func checkSpeaking(sp Speaking) error {
	_, plain := sp.Request.GetInput().GetInputSource().(*texttospeechpb.SynthesisInput_Text)
	switch {
	case !plain || sp.Text == "":
		return invalid("Either `input.text` or `input.ssml` is required.")
	case len(sp.Text) > maxText:
		return invalid("Either `input.text` or `input.ssml` is longer than the limit of 5000 bytes. This limit is different from quotas.")
	case sp.Language == "":
		return invalid("The request requires voice.language_code.")
	case !tagPattern.MatchString(sp.Language):
		return invalid("Requested language code '%s' is not supported.", sp.Language)
	case sp.Voice != "" && strings.Contains(sp.Voice, "Unknown"):
		return invalid("Voice '%s' does not exist. Is it misspelled?", sp.Voice)
	case sp.Voice != "" && strings.Count(sp.Voice, "-") >= 2 && !strings.HasPrefix(sp.Voice, sp.Language+"-"):
		return invalid("Requested language code '%s' doesn't match the voice '%s''s language code.", sp.Language, sp.Voice)
	}
	return nil
}

// Sound is the clip the voice makes of a text.
func Sound(text string, encoding texttospeechpb.AudioEncoding) ([]byte, error) {
	length := time.Duration(utf8.RuneCountInString(text)) * perLetter
	switch encoding {
	case texttospeechpb.AudioEncoding_OGG_OPUS:
		return Recording(text, length)
	case texttospeechpb.AudioEncoding_LINEAR16:
		return wav.Encode(make([]int16, int64(length)*voiceRate/int64(time.Second)), voiceRate), nil
	case texttospeechpb.AudioEncoding_MP3:
		return silentMP3(length), nil
	}
	return nil, invalid("Unsupported audio encoding.")
}

// Recording is a silent Ogg/Opus clip in which Speech-to-Text hears the words, or
// nothing where there are none. It lasts at least 20 ms.
func Recording(words string, length time.Duration) ([]byte, error) {
	var data bytes.Buffer
	w, err := oggopus.NewWriter(&data, oggopus.Options{
		Serial: 1, PreSkip: oggopus.DefaultPreSkip, InputRate: voiceRate, Comments: []string{transcriptTag + "=" + words},
	})
	const frame = 20 * time.Millisecond
	for range max(1, length/frame) + 1 { // one more makes up for the skipped start
		if err == nil {
			err = w.WritePacket(oggopus.SilencePacket())
		}
	}
	if err == nil {
		err = w.Close(oggopus.SilenceSamples - oggopus.DefaultPreSkip)
	}
	return data.Bytes(), err
}

// silentMP3 makes frames of MPEG 2, layer III, 32 kbit/s at 24 kHz, mono (ISO
// 13818-3): 24 ms in 96 bytes each. A frame of zeros behind the header is silence.
func silentMP3(length time.Duration) []byte {
	const frame, size = 24 * time.Millisecond, 96
	var out []byte
	for range max(1, length/frame) {
		out = append(out, 0xff, 0xf3, 0x44, 0xc0)
		out = append(out, make([]byte, size-4)...)
	}
	return out
}
