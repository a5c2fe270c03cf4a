package genai_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var asWAV = ports.TTSOptions{Format: domain.MIMEWAV}

func TestTTSRequestOnTheWire(t *testing.T) {
	onBoth(t, func(t *testing.T, vertex bool) {
		s := start(t, speaks, vertex)
		v, err := genai.NewTTS(genai.TTSConfig{Config: s.config(), Style: "warm, unhurried", Encoder: opusStub{}})
		require.NoError(t, err)
		_, err = v.Synthesize(t.Context(), " Guten Tag. ", ports.TTSOptions{Language: "de-DE", Voice: "Puck"})
		require.NoError(t, err)
		in := s.only()
		assert.Equal(t, genai.DefaultVoiceModel, in.model)
		assert.Equal(t, "generateContent", in.method)
		assert.JSONEq(t, `{
			"contents": [{"role": "user", "parts": [{"text": "Guten Tag.", "speechMetadata": {"style": "warm, unhurried"}}]}],
			"generationConfig": {
				"responseModalities": ["AUDIO"],
				"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}}}
			}
		}`, string(in.raw))
	})
}

func TestDefaultVoiceAndNoStyle(t *testing.T) {
	for voice, want := range map[string]string{"": genai.DefaultVoice, "Leda": "Leda"} {
		s := newServer(t, speaks)
		v, err := genai.NewTTS(genai.TTSConfig{Config: s.config(), Voice: voice, WAVOnly: true})
		require.NoError(t, err)
		_, err = v.Synthesize(t.Context(), "Hello.", asWAV)
		require.NoError(t, err)
		assert.Equal(t, want, s.only().body.GenerationConfig.SpeechConfig.VoiceConfig.PrebuiltVoiceConfig.VoiceName)
		assert.Nil(t, s.only().last().Parts[0].SpeechMetadata)
	}
}

// samplesOf reads a WAV clip.
func samplesOf(t *testing.T, clip domain.Audio) wav.PCM {
	t.Helper()
	require.Equal(t, domain.MIMEWAV, clip.MIME())
	p, err := wav.Decode(clip.Bytes())
	require.NoError(t, err)
	assert.Equal(t, p.Duration(), clip.Duration())
	return p
}

func TestSoundIsReadAsItComes(t *testing.T) {
	stereo := append([]byte("RIFF\x30\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"), 0x80, 0xbb, 0, 0, 0, 0xee, 2, 0, 4, 0, 16, 0)
	stereo = append(stereo, "data\x0c\x00\x00\x00"...)
	for _, s := range []int16{100, 300, -100, -300, 5, 5} {
		stereo = binary.LittleEndian.AppendUint16(stereo, uint16(s))
	}
	for _, c := range []struct {
		name string
		body string
		want wav.PCM
	}{
		{"little-endian samples", speech("audio/L16;codec=pcm;rate=24000", []byte{1, 2, 0xff, 0x7f, 0, 0x80}), wav.PCM{Rate: 24_000, Channels: 1, Samples: []int16{0x0201, 32767, -32768}}},
		{"another rate", speech("audio/L16; rate=16000; channels=1", []byte{1, 0}), wav.PCM{Rate: 16_000, Channels: 1, Samples: []int16{1}}},
		{"no rate", speech("audio/pcm", []byte{1, 0}), wav.PCM{Rate: 24_000, Channels: 1, Samples: []int16{1}}},
		{"several pieces", speech("audio/L16;codec=pcm;rate=24000", []byte{1, 0}, []byte{2, 0, 3, 0}), wav.PCM{Rate: 24_000, Channels: 1, Samples: []int16{1, 2, 3}}},
		{"a WAV file", speech("audio/wav", wav.Encode([]int16{7, 8, 9}, 24_000)), wav.PCM{Rate: 24_000, Channels: 1, Samples: []int16{7, 8, 9}}},
		{"a WAV file in stereo", speech("audio/wav", stereo), wav.PCM{Rate: 48_000, Channels: 1, Samples: []int16{200, -200, 5}}},
		{"words beside the sound", strings.Replace(speech("audio/L16;rate=24000", []byte{1, 0}), `"parts":[`, `"parts":[{"text":"Here you are."},{"text":"Hm.","thought":true},`, 1), wav.PCM{Rate: 24_000, Channels: 1, Samples: []int16{1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip, err := newTTS(t, newServer(t, answers(c.body))).Synthesize(t.Context(), "Hello.", asWAV)
			require.NoError(t, err)
			assert.Equal(t, c.want, samplesOf(t, clip))
		})
	}
}

func TestSoundThatIsNone(t *testing.T) {
	stop := func(reason string) string {
		return `{"candidates":[{"content":{},"finishReason":"` + reason + `"}],"usageMetadata":{"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":9}]}}`
	}
	pcm := func(mime string, data ...byte) string { return speech(mime, data) }
	for name, c := range map[string]struct {
		body string
		kind ports.Kind
		code string
	}{
		"nothing":                     {`{}`, ports.KindTransient, ""},
		"no parts":                    {stop("STOP"), ports.KindTransient, ""},
		"words where sound was asked": {transcribed(secret), ports.KindTransient, ""},
		"stopped for no reason":       {stop("OTHER"), ports.KindTransient, "OTHER"},
		"blocked":                     {stop("PROHIBITED_CONTENT"), ports.KindBlocked, "PROHIBITED_CONTENT"},
		"unknown language":            {stop("LANGUAGE"), ports.KindUnsupported, "LANGUAGE"},
		"too long to say":             {strings.Replace(pcm("audio/L16;rate=24000", 1, 0), "STOP", "MAX_TOKENS", 1), ports.KindUnsupported, ""},
		"no samples":                  {pcm("audio/L16;rate=24000"), ports.KindTransient, ""},
		"half a sample":               {pcm("audio/L16;rate=24000", 1, 0, 2), ports.KindTransient, ""},
		"absurd rate":                 {pcm("audio/L16;rate=1", 1, 0), ports.KindTransient, ""},
		"rate that is none":           {pcm("audio/L16;rate=fast", 1, 0), ports.KindTransient, ""},
		"stereo samples":              {pcm("audio/L16;rate=24000;channels=2", 1, 0, 1, 0), ports.KindTransient, ""},
		"another format":              {pcm("audio/mpeg", 1, 0), ports.KindTransient, ""},
		"no format":                   {pcm("", 1, 0), ports.KindTransient, ""},
		"a WAV file that is none":     {pcm("audio/wav", 1, 0), ports.KindTransient, ""},
		"pieces of two rates":         {strings.Replace(speech("audio/L16;rate=24000", []byte{1, 0}, []byte{1, 0}), "rate=24000", "rate=16000", 1), ports.KindTransient, ""},
		"sound that is not base64":    {strings.Replace(pcm("audio/L16;rate=24000", 1, 0), `"AQA="`, `"!!!"`, 1), ports.KindTransient, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, answers(c.body))
			clip, err := newTTS(t, s).Synthesize(t.Context(), secret, asWAV)
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.kind, e.Kind, "%v", e)
			assert.Equal(t, c.code, e.Code)
			assert.NotContains(t, err.Error(), secret)
			assert.True(t, clip.Empty())
			assert.Equal(t, 1, s.calls())
		})
	}
}

func TestUnknownVoiceIsUnsupported(t *testing.T) {
	s := newServer(t, refuses(400, "INVALID_ARGUMENT", "Voice name Nobody is not supported. Allowed voice names are: achernar, achird"))
	_, err := newTTS(t, s).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Voice: "Nobody"})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), "%v", err)
}

func TestTextsThatAreNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		opt  ports.TTSOptions
		kind ports.Kind
	}{
		"marks only":            {"... !?", ports.TTSOptions{}, ports.KindInvalid},
		"an emoji":              {"👍", ports.TTSOptions{}, ports.KindInvalid},
		"broken letters only":   {"\xff\xfe", ports.TTSOptions{}, ports.KindInvalid},
		"over 6,000 bytes":      {strings.Repeat("é", 3001), ports.TTSOptions{}, ports.KindUnsupported},
		"MP3":                   {"Hello.", ports.TTSOptions{Format: domain.MIMEMP3}, ports.KindUnsupported},
		"a language not served": {"Hello.", ports.TTSOptions{Language: "fr-CA"}, ports.KindUnsupported},
	} {
		s := newServer(t, speaks)
		_, err := newTTS(t, s).Synthesize(t.Context(), c.text, c.opt)
		assert.Equal(t, c.kind, ports.KindOf(err), "%s: %v", name, err)
		assert.Zero(t, s.calls(), name)
	}
}

func TestLanguagesAreComparedWithoutRegion(t *testing.T) {
	for _, language := range []string{"", "en", "en-GB", "EN_us", "de-AT"} {
		_, err := newTTS(t, newServer(t, speaks)).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: language})
		require.NoError(t, err, language)
	}
}

func TestVoiceWithoutAnEncoder(t *testing.T) {
	s := newServer(t, speaks)
	v, err := genai.NewTTS(genai.TTSConfig{Config: s.config(), WAVOnly: true})
	require.NoError(t, err)
	_, err = v.Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), "%v", err)
	assert.Zero(t, s.calls())
	clip, err := v.Synthesize(t.Context(), "Hello.", asWAV)
	require.NoError(t, err)
	assert.Equal(t, 300*time.Millisecond, samplesOf(t, clip).Duration())
}

func TestEncoderIsGivenTheWholeClip(t *testing.T) {
	var given domain.Audio
	encoder := encodes(func(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
		given = clip
		return opusStub{}.Encode(ctx, clip)
	})
	v, err := genai.NewTTS(genai.TTSConfig{Config: newServer(t, answers(speech("audio/L16;rate=24000", hum(24_000)))).config(), Encoder: encoder})
	require.NoError(t, err)
	clip, err := v.Synthesize(t.Context(), "Hello.", ports.TTSOptions{Format: "audio/ogg"})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, time.Second, samplesOf(t, given).Duration())
	assert.EqualValues(t, 0x0102, samplesOf(t, given).Samples[0])
}

func TestEncodersFailureKeepsItsKind(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		err  error
		kind ports.Kind
	}{
		"too long for it": {&ports.Error{Op: "opus.encode", Kind: ports.KindUnsupported, Err: errors.New("over ten minutes")}, ports.KindUnsupported},
		"foreign":         {errors.New("broken pipe"), ports.KindUnknown},
	} {
		encoder := encodes(func(context.Context, domain.Audio) (domain.Audio, error) { return domain.Audio{}, c.err })
		v, err := genai.NewTTS(genai.TTSConfig{Config: newServer(t, speaks).config(), Encoder: encoder})
		require.NoError(t, err)
		_, err = v.Synthesize(ctx, "Hello.", ports.TTSOptions{})
		assert.Equal(t, c.kind, ports.KindOf(err), "%s: %v", name, err)
		assert.ErrorIs(t, err, c.err)
	}
	encoder := encodes(func(ctx context.Context, _ domain.Audio) (domain.Audio, error) {
		cancel()
		<-ctx.Done()
		return domain.Audio{}, errors.New("killed")
	})
	v, err := genai.NewTTS(genai.TTSConfig{Config: newServer(t, speaks).config(), Encoder: encoder})
	require.NoError(t, err)
	_, err = v.Synthesize(ctx, "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err), "%v", err)
}
