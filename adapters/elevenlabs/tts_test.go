package elevenlabs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/elevenlabs"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// encoder is an EncoderPort that remembers what it was given.
type encoder struct {
	got  domain.Audio
	give domain.Audio
	err  error
}

func (e *encoder) Encode(_ context.Context, clip domain.Audio) (domain.Audio, error) {
	e.got = clip
	return e.give, e.err
}

func format(name string) func(*elevenlabs.TTSConfig) {
	return func(cfg *elevenlabs.TTSConfig) { cfg.OutputFormat = name }
}

func with(e ports.EncoderPort) func(*elevenlabs.TTSConfig) {
	return func(cfg *elevenlabs.TTSConfig) { cfg.Encoder = e }
}

func TestSynthesizeSendsTheBodyOfCreateSpeech(t *testing.T) {
	s := newServer(t)
	clip, err := s.tts().Synthesize(t.Context(), "  Good \"morning\" <b>.\n", ports.TTSOptions{Language: "es-MX"})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, measure(t, clip), clip.Duration())

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/v1/text-to-speech/"+elevenlabs.DefaultVoice, q.path)
	assert.Equal(t, "output_format=opus_48000_32", q.query)
	assert.Equal(t, testKey, q.header.Get("Xi-Api-Key"))
	assert.Equal(t, "application/json", q.header.Get("Content-Type"))
	assert.JSONEq(t, `{"text":"Good \"morning\" <b>.","model_id":"eleven_flash_v2_5","language_code":"es"}`, string(q.body))
}

func TestLanguageIsSentToModelsThatEnforceIt(t *testing.T) {
	for model, sent := range map[string]bool{
		"eleven_flash_v2_5": true, "eleven_turbo_v2_5": true, "eleven_v3": true, "eleven_v4": true,
		"eleven_multilingual_v2": false, "eleven_flash_v2": false, "eleven_monolingual_v1": false,
	} {
		s := newServer(t)
		voice := s.tts(func(cfg *elevenlabs.TTSConfig) { cfg.Model = model })
		_, err := voice.Synthesize(t.Context(), "Hola.", ports.TTSOptions{Language: "spa"})
		require.NoError(t, err)
		assert.Equal(t, sent, bytes.Contains(s.last().body, []byte(`"language_code":"es"`)), model)
		assert.Equal(t, sent, bytes.Contains(s.last().body, []byte("language_code")), model)
		_, err = voice.Synthesize(t.Context(), "Hola.", ports.TTSOptions{})
		require.NoError(t, err)
		assert.NotContains(t, string(s.last().body), "language_code", model)
	}
}

func TestVoiceFollowsTheLanguage(t *testing.T) {
	cast := func(cfg *elevenlabs.TTSConfig) {
		cfg.Voice = "anyone"
		cfg.Voices = map[string]string{"es": "maria", "pt-BR": "joao", "zh-Hant-TW": "mei", "nb": "nils"}
	}
	for lang, want := range map[string]string{
		"": "anyone", "en": "anyone", "es": "maria", "spa": "maria", "es-MX": "maria", "ES-mx": "maria", "pt-br": "joao", "pt": "joao",
		"pt-PT": "joao", "zh-Hant-TW": "mei", "cmn": "mei", "no": "nils",
	} {
		s := newServer(t)
		_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: lang})
		require.NoError(t, err)
		assert.Equal(t, "/v1/text-to-speech/"+want, s.last().path, "%q", lang)
	}
	s := newServer(t)
	_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: "es", Voice: "chosen"})
	require.NoError(t, err)
	assert.Equal(t, "/v1/text-to-speech/chosen", s.last().path)
	for _, bad := range []string{"../../voices", "a/b", "a?b", "..", "a b", strings.Repeat("a", 65)} {
		_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Voice: bad})
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err), bad)
	}
	assert.Equal(t, 1, s.count())
}

func TestTextsThatAreNotSent(t *testing.T) {
	s := newServer(t)
	voice := s.tts(func(cfg *elevenlabs.TTSConfig) { cfg.MaxChars = 5 })
	for text, want := range map[string]ports.Kind{
		"": ports.KindInvalid, " \n": ports.KindInvalid, "...": ports.KindInvalid, "\xff": ports.KindInvalid,
		"sechsö": ports.KindUnsupported,
	} {
		_, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{})
		assert.Equal(t, want, ports.KindOf(err), "%q", text)
	}
	_, err := voice.Synthesize(t.Context(), "hello", ports.TTSOptions{Language: "no tag"})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	_, err = voice.Synthesize(t.Context(), "hello", ports.TTSOptions{Format: domain.MIMEMP3})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Zero(t, s.count())
	_, err = voice.Synthesize(t.Context(), "fünfä", ports.TTSOptions{}) // characters, not bytes
	require.NoError(t, err)
	_, err = voice.Synthesize(t.Context(), "5 \xff€", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Contains(t, string(s.last().body), `"5 €"`)
}

func TestOtherSoundsGoThroughTheEncoder(t *testing.T) {
	note := spoken(t, "encoded", time.Second)
	sound := wav.Encode([]int16{1, -1, 2, -2}, 22050)
	quiet := []byte{0xff, 0xff, 0xfe, 0xff, 0x01, 0x00} // -1, -2, 1: looks like an MP3 frame
	for name, c := range map[string]struct {
		format, mime string
		body         []byte
		encoded      string
		want         []byte
	}{
		"MP3":                      {"mp3_44100_64", "audio/mpeg", []byte("ID3\x04..."), domain.MIMEMP3, []byte("ID3\x04...")},
		"MP3 without a tag":        {"mp3_22050_32", "audio/mpeg", []byte("\xff\xfb\x90\x64"), domain.MIMEMP3, []byte("\xff\xfb\x90\x64")},
		"MP3 though Opus was told": {"opus_48000_32", "audio/opus", []byte("ID3\x04..."), domain.MIMEMP3, []byte("ID3\x04...")},
		"MP3 though PCM was told":  {"pcm_16000", "audio/mpeg", []byte("ID3\x04..."), domain.MIMEMP3, []byte("ID3\x04...")},
		"WAV":                      {"wav_22050", "audio/wav", sound, domain.MIMEWAV, sound},
		"samples":                  {"pcm_24000", "application/octet-stream", quiet, domain.MIMEPCM + "; rate=24000", quiet},
		"half a sample":            {"pcm_16000", "", append(bytes.Clone(quiet), 7), domain.MIMEPCM + "; rate=16000", quiet},
	} {
		e := &encoder{give: note}
		clip, err := newServer(t).sends(c.mime, c.body).tts(format(c.format), with(e)).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		require.NoError(t, err, name)
		assert.Equal(t, note, clip, name)
		assert.Equal(t, c.encoded, e.got.MIME(), name)
		assert.Equal(t, c.want, e.got.Bytes(), name)
	}
	e := &encoder{}
	s := newServer(t)
	_, err := s.tts(format("mp3_44100_64"), with(e)).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
	assert.True(t, e.got.Empty(), "Opus is taken as it is, whatever was told")
	assert.Equal(t, "output_format=mp3_44100_64", s.last().query)
}

func TestEncoderFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want ports.Kind
	}{
		"corrupt":   {&ports.Error{Op: "encode", Kind: ports.KindUnsupported, Err: errors.New("the clip is corrupt")}, ports.KindUnsupported},
		"no sample": {&ports.Error{Op: "encode", Kind: ports.KindInvalid, Err: errors.New("no samples")}, ports.KindUnknown},
		"deadline":  {&ports.Error{Op: "encode", Kind: ports.KindTimeout, Err: context.DeadlineExceeded}, ports.KindTimeout},
	} {
		s := newServer(t).sends("audio/mpeg", []byte("ID3\x04"))
		clip, err := s.tts(format("mp3_44100_64"), with(&encoder{err: c.err})).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		assert.True(t, clip.Empty(), name)
		assert.Equal(t, c.want, ports.KindOf(err), name)
		assert.ErrorIs(t, err, c.err, name)
	}
	_, err := newServer(t).sends("audio/mpeg", []byte("ID3\x04")).tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), "there is no encoder")
}

func TestSoundsThatAreNoVoiceNote(t *testing.T) {
	good := spoken(t, "hello", time.Second).Bytes()
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	stereo := bytes.Clone(good)
	stereo[28+9] = 2
	fixCRC(stereo[:47])
	mute := bytes.Clone(good)
	binary.LittleEndian.PutUint16(mute[28+10:], 0xffff) // all of it is pre-skip
	fixCRC(mute[:47])
	e := with(&encoder{give: spoken(t, "never", time.Second)})
	for name, c := range map[string]struct {
		mime string
		body []byte
		want ports.Kind
	}{
		"flipped bit": {"audio/opus", flipped, ports.KindTransient},
		"cut":         {"audio/opus", good[:len(good)-5], ports.KindTransient},
		"stereo":      {"audio/opus", stereo, ports.KindUnsupported},
		"mute":        {"audio/opus", mute, ports.KindUnknown},
		"chained":     {"audio/opus", append(bytes.Clone(good), good...), ports.KindUnsupported},
		"empty":       {"audio/opus", nil, ports.KindUnknown},
		"JSON":        {"application/json", []byte(`{"audio_base64":"T2dnUw=="}`), ports.KindTransient},
		"HTML":        {"text/html; charset=utf-8", []byte("<html>"), ports.KindTransient},
		"unknown":     {"audio/opus", []byte("\x00\x01\x02\x03"), ports.KindTransient},
	} {
		clip, err := newServer(t).sends(c.mime, c.body).tts(e).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		assert.True(t, clip.Empty(), name)
		assert.Equal(t, c.want, ports.KindOf(err), name)
	}
	_, err := newServer(t).sends("application/json", []byte(`{}`)).tts(e, format("pcm_16000")).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "JSON is no samples")
	_, err = newServer(t).cuts(string(good)).tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "cut connection")
}

// A stream whose last page does not say so is one that was written on the fly.
func TestUnendedStreamIsFinished(t *testing.T) {
	whole := spoken(t, "hello", 3*time.Second)
	unended := bytes.Clone(whole.Bytes())
	last := bytes.LastIndex(unended, []byte("OggS"))
	unended[last+5] &^= 4
	fixCRC(unended[last:])
	require.ErrorIs(t, oggopus.Check(unended), oggopus.ErrUnended)

	clip, err := newServer(t).sends("audio/opus", unended).tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
	assert.InDelta(t, whole.Duration(), measure(t, clip), float64(20*time.Millisecond))
	assert.Equal(t, measure(t, clip), clip.Duration())
}

// fixCRC writes the checksum of one Ogg page (RFC 3533, section 6).
func fixCRC(page []byte) {
	copy(page[22:26], "\x00\x00\x00\x00")
	crc := uint32(0)
	for _, b := range page {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&0x8000_0000 != 0 {
				crc = crc<<1 ^ 0x04c1_1db7
			} else {
				crc <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(page[22:], crc)
}
