package openai_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// encoder stands in for libopus: what it is given is kept, and its note says so.
type encoder struct {
	t    *testing.T
	got  domain.Audio
	fail error
	uses atomic.Int32
}

func (e *encoder) Encode(_ context.Context, clip domain.Audio) (domain.Audio, error) {
	e.uses.Add(1)
	e.got = clip
	if e.fail != nil {
		return domain.Audio{}, e.fail
	}
	return note(e.t, "encoded"), nil
}

func TestSpeechRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  func(*openai.TTSConfig)
		opt  ports.TTSOptions
		want string
	}{
		"defaults": {nil, ports.TTSOptions{Language: "en"}, `{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"alloy","response_format":"opus"}`},
		"settings": {
			func(c *openai.TTSConfig) { c.Model, c.Voice = "kokoro", "af_heart" },
			ports.TTSOptions{},
			`{"model":"kokoro","input":"Good day.","voice":"af_heart","response_format":"opus"}`,
		},
		"voice of the call": {
			func(c *openai.TTSConfig) { c.Voices = map[string]string{"en": "af_heart"} },
			ports.TTSOptions{Language: "en", Voice: "nova"},
			`{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"nova","response_format":"opus"}`,
		},
		"voice of the language": {
			func(c *openai.TTSConfig) { c.Voices = map[string]string{"en": "af_heart", "PT-br": "pf_dora"} },
			ports.TTSOptions{Language: "en_GB"},
			`{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"af_heart","response_format":"opus"}`,
		},
		"voice of the whole tag": {
			func(c *openai.TTSConfig) { c.Voices = map[string]string{"pt": "x", "PT-br": "pf_dora"} },
			ports.TTSOptions{Language: "pt-BR"},
			`{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"pf_dora","response_format":"opus"}`,
		},
		"no voice for it": {
			func(c *openai.TTSConfig) { c.Voices = map[string]string{"pt": "x"} },
			ports.TTSOptions{Language: "es"},
			`{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"alloy","response_format":"opus"}`,
		},
		"WAV": {nil, ports.TTSOptions{Format: domain.MIMEWAV}, `{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"alloy","response_format":"wav"}`},
		"by setting": {
			func(c *openai.TTSConfig) { c.ResponseFormat, c.Encoder = openai.FormatMP3, &encoder{t: t} },
			ports.TTSOptions{Format: "audio/ogg"},
			`{"model":"gpt-4o-mini-tts","input":"Good day.","voice":"alloy","response_format":"mp3"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			voice := s.tts(func(c *openai.TTSConfig) {
				c.Organization = "org-7"
				if tt.cfg != nil {
					tt.cfg(c)
				}
			})
			_, err := voice.Synthesize(t.Context(), "Good day.", tt.opt)
			require.NoError(t, err)
			r := s.only()
			assert.Equal(t, http.MethodPost, r.method)
			assert.Equal(t, "/v1/audio/speech", r.path)
			assert.Empty(t, r.query)
			assert.Equal(t, "Bearer "+testKey, r.header.Get("Authorization"))
			assert.Equal(t, "application/json", r.header.Get("Content-Type"))
			assert.Equal(t, "org-7", r.header.Get("OpenAI-Organization"))
			assert.JSONEq(t, tt.want, string(r.body))
		})
	}
}

func TestOpusIsTakenAsItIs(t *testing.T) {
	sound := note(t, "as it is").Bytes()
	e := &encoder{t: t}
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(sound) })
	clip, err := s.tts(func(c *openai.TTSConfig) { c.Encoder = e }).Synthesize(t.Context(), "hi", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, sound, clip.Bytes())
	assert.Equal(t, time.Second, clip.Duration())
	assert.Zero(t, e.uses.Load())
}

// TestOtherFormatsAreEncoded covers servers that are asked for another format and
// those that answer one unasked.
func TestOtherFormatsAreEncoded(t *testing.T) {
	pcm := make([]byte, 4800)
	stereo := withChannels(note(t, "x").Bytes(), 2)
	chained := append(bytes.Clone(note(t, "one").Bytes()), note(t, "two").Bytes()...)
	for name, tt := range map[string]struct {
		asked string
		rate  int
		sound []byte
		mime  string
	}{
		"WAV, asked for":        {"wav", 0, silentWAV(time.Second), domain.MIMEWAV},
		"WAV, unasked":          {"opus", 0, silentWAV(time.Second), domain.MIMEWAV},
		"MP3, asked for":        {"mp3", 0, silentMP3(time.Second), domain.MIMEMP3},
		"MP3, unasked":          {"opus", 0, append([]byte("ID3\x04"), silentMP3(time.Second)...), domain.MIMEMP3},
		"samples":               {"pcm", 0, pcm, "audio/l16; rate=24000"},
		"samples, another rate": {"pcm", 22_050, pcm, "audio/l16; rate=22050"},
		"a file for samples":    {"pcm", 0, silentWAV(time.Second), domain.MIMEWAV},
		"two channels":          {"opus", 0, stereo, domain.MIMEWAV},
		"two streams":           {"opus", 0, chained, domain.MIMEWAV},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tt.sound) })
			e := &encoder{t: t}
			voice := s.tts(func(c *openai.TTSConfig) { c.ResponseFormat, c.PCMRate, c.Encoder = tt.asked, tt.rate, e })
			clip, err := voice.Synthesize(t.Context(), "hi", ports.TTSOptions{})
			require.NoError(t, err)
			assert.Equal(t, note(t, "encoded").Bytes(), clip.Bytes())
			assert.Equal(t, tt.mime, e.got.MIME())
			if tt.mime == domain.MIMEWAV && tt.sound[0] == 'O' {
				assert.Positive(t, measure(t, e.got))
			} else {
				assert.Equal(t, tt.sound, e.got.Bytes())
			}
		})
	}
}

// withChannels changes the head of an Ogg/Opus file and its page's checksum.
func withChannels(data []byte, n byte) []byte {
	out := bytes.Clone(data)
	out[28+9] = n
	return reseal(out, 0)
}

// reseal computes the checksum of the page at an offset anew.
func reseal(data []byte, at int) []byte {
	segments := int(data[at+26])
	size := 27 + segments
	for _, l := range data[at+27 : at+27+segments] {
		size += int(l)
	}
	page := data[at : at+size]
	binary.LittleEndian.PutUint32(page[22:], 0)
	crc := uint32(0)
	for _, b := range page {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(page[22:], crc)
	return data
}

// unended takes the mark of the end off the last page.
func unended(data []byte) []byte {
	out := bytes.Clone(data)
	last := bytes.LastIndex(out, []byte("OggS"))
	out[last+5] &^= 4
	return reseal(out, last)
}

func TestSpeechThatIsNone(t *testing.T) {
	sound := note(t, "x").Bytes()
	vorbis := append(bytes.Clone(sound[:28]), "\x01vorbis\x00\x00\x00\x00\x01"...)
	for name, tt := range map[string]struct {
		sound  []byte
		format string // the caller's
		kind   ports.Kind
		says   string
	}{
		"nothing":             {nil, "", ports.KindTransient, "nothing"},
		"WAV without encoder": {silentWAV(time.Second), "", ports.KindUnsupported, "no encoder"},
		"MP3 without encoder": {silentMP3(time.Second), "", ports.KindUnsupported, "no encoder"},
		"stereo, no encoder":  {withChannels(sound, 2), "", ports.KindUnsupported, "not mono"},
		"corrupt":             {append(bytes.Clone(sound[:len(sound)-1]), 0xff), "", ports.KindTransient, ""},
		"cut short":           {sound[:len(sound)-5], "", ports.KindTransient, ""},
		"without its end":     {unended(sound), "", ports.KindTransient, "breaks off"},
		"vorbis":              {vorbis, "", ports.KindUnsupported, "Vorbis"},
		"words":               {[]byte(secretWords), "", ports.KindTransient, "no sound"},
		"JSON":                {[]byte(`{"error":{"message":"` + secretWords + `","code":"content_policy_violation"}}`), "", ports.KindBlocked, ""},
		"AAC":                 {[]byte("\xff\xf1\x50\x80 and so on"), "", ports.KindTransient, "no sound"},
		"MP3 for WAV":         {silentMP3(time.Second), domain.MIMEWAV, ports.KindUnsupported, "WAV"},
		"Opus for MP3":        {sound, domain.MIMEMP3, ports.KindUnsupported, "MP3"},
		"WAV without sound":   {silentWAV(0), domain.MIMEWAV, ports.KindTransient, "nothing"},
		"WAV of floats":       {floats(), domain.MIMEWAV, ports.KindUnsupported, "WAV"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tt.sound) })
			clip, err := s.tts().Synthesize(t.Context(), secretWords, ports.TTSOptions{Format: tt.format})
			assert.True(t, clip.Empty())
			assert.Contains(t, kindIs(t, tt.kind, err).Error(), tt.says)
		})
	}
	t.Run("odd samples", func(t *testing.T) {
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 4801)) })
		voice := s.tts(func(c *openai.TTSConfig) { c.ResponseFormat, c.Encoder = "pcm", &encoder{t: t} })
		_, err := voice.Synthesize(t.Context(), "hi", ports.TTSOptions{})
		kindIs(t, ports.KindTransient, err)
	})
	t.Run("cut connection", func(t *testing.T) {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(sound)
			w.(http.Flusher).Flush()
			cut(w, r)
		})
		_, err := s.tts().Synthesize(t.Context(), "hi", ports.TTSOptions{})
		kindIs(t, ports.KindTransient, err)
	})
	t.Run("endless answer", func(t *testing.T) {
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 48<<20+1)) })
		_, err := s.tts().Synthesize(t.Context(), "hi", ports.TTSOptions{})
		assert.Contains(t, kindIs(t, ports.KindTransient, err).Error(), "48 MB")
	})
}

func floats() []byte {
	out := silentWAV(time.Second)
	out[20], out[34] = 3, 32
	return out
}

// TestStreamedWAVGetsItsLength: OpenAI and others leave it open.
func TestStreamedWAVGetsItsLength(t *testing.T) {
	open := silentWAV(time.Second)
	binary.LittleEndian.PutUint32(open[4:], 0xffffffff)
	binary.LittleEndian.PutUint32(open[40:], 0xffffffff)
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(open) })
	clip, err := s.tts().Synthesize(t.Context(), "hi", ports.TTSOptions{Format: domain.MIMEWAV})
	require.NoError(t, err)
	assert.Equal(t, silentWAV(time.Second), clip.Bytes())
	assert.Equal(t, time.Second, clip.Duration())
}

func TestEncoderFailuresKeepTheirKind(t *testing.T) {
	s := newServer(t, nil)
	e := &encoder{t: t, fail: &ports.Error{Op: "opus.encode", Kind: ports.KindUnsupported, Err: errors.New("over ten minutes")}}
	voice := s.tts(func(c *openai.TTSConfig) { c.ResponseFormat, c.Encoder = "wav", e })
	_, err := voice.Synthesize(t.Context(), "hi", ports.TTSOptions{})
	assert.Equal(t, "openai.tts", kindIs(t, ports.KindUnsupported, err).Op)
	require.ErrorIs(t, err, e.fail)
}

func TestTextsThatAreNotSpoken(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		kind ports.Kind
	}{
		"only signs":   {"… !? 🙂", ports.KindInvalid},
		"one too many": {strings.Repeat("é", 11), ports.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			_, err := s.tts(func(c *openai.TTSConfig) { c.MaxText = 10 }).Synthesize(t.Context(), tt.text, ports.TTSOptions{})
			kindIs(t, tt.kind, err)
			assert.Zero(t, s.calls())
		})
	}
	s := newServer(t, nil)
	clip, err := s.tts(func(c *openai.TTSConfig) { c.MaxText = 10 }).Synthesize(t.Context(), strings.Repeat("é", 10), ports.TTSOptions{})
	require.NoError(t, err, "the limit counts characters")
	require.NoError(t, oggopus.Check(clip.Bytes()))
}
