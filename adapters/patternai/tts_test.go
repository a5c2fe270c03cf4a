package patternai_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/patternai"
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

func with(e ports.EncoderPort) func(*patternai.TTSConfig) {
	return func(cfg *patternai.TTSConfig) { cfg.Encoder = e }
}

func opusOnly(cfg *patternai.TTSConfig) { cfg.Encoder, cfg.OpusOnly = nil, true }

func TestSynthesizeSendsTheMessage(t *testing.T) {
	s := newServer(t)
	clip, err := s.tts(func(cfg *patternai.TTSConfig) { cfg.Model = "aura-luna-en" }).Synthesize(t.Context(), "  Good \"morning\" \xff.\n", ports.TTSOptions{Language: "en"})
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, clip.MIME())
	assert.Equal(t, measure(t, clip), clip.Duration())

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/tts", q.uri)
	assert.Equal(t, "application/json", q.header.Get("Content-Type"))
	assert.Equal(t, "aura-luna-en", q.header.Get("TTS-Model"))
	assert.Equal(t, "Bearer "+testKey, q.header.Get("Authorization"))
	assert.JSONEq(t, `{"message":"Good \"morning\" ."}`, string(q.body))
}

func TestModelFollowsTheLanguage(t *testing.T) {
	cast := func(cfg *patternai.TTSConfig) {
		cfg.Model, cfg.Models = "anyone", map[string]string{"es": "maria", "es-MX": "jorge", "pt-BR": "joao"}
	}
	for lang, want := range map[string]string{"": "anyone", "en": "anyone", "es": "maria", "es-AR": "maria", "ES-mx": "jorge", "pt-br": "joao", "pt": "anyone"} {
		s := newServer(t)
		_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: lang})
		require.NoError(t, err)
		assert.Equal(t, want, s.last().header.Get("TTS-Model"), "%q", lang)
	}
	s := newServer(t)
	_, err := s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: "es", Voice: "chosen"})
	require.NoError(t, err)
	assert.Equal(t, "chosen", s.last().header.Get("TTS-Model"))
	_, err = s.tts(cast).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Voice: "a\r\nX-Evil: 1"})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))

	few := func(cfg *patternai.TTSConfig) { cfg.Models = map[string]string{"es": "maria"} }
	_, err = s.tts(few).Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: "en"})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Equal(t, 1, s.count())
	_, err = s.tts(few).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
	assert.NotContains(t, s.last().header, "Tts-Model")
	_, err = s.tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{Language: "xx"})
	require.NoError(t, err, "without models by language the service decides")
}

func TestTextsThatAreNotSent(t *testing.T) {
	s := newServer(t)
	voice := s.tts(func(cfg *patternai.TTSConfig) { cfg.MaxChars = 5 })
	for text, want := range map[string]ports.Kind{
		"": ports.KindInvalid, " \n": ports.KindInvalid, "...": ports.KindInvalid, "\xff": ports.KindInvalid, "sechsö": ports.KindUnsupported,
	} {
		_, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{})
		assert.Equal(t, want, ports.KindOf(err), "%q", text)
	}
	_, err := voice.Synthesize(t.Context(), "hello", ports.TTSOptions{Format: domain.MIMEMP3})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Zero(t, s.count())
	_, err = voice.Synthesize(t.Context(), "fünfä", ports.TTSOptions{}) // characters, not bytes
	require.NoError(t, err)
}

func TestSoundsAreConverted(t *testing.T) {
	note := spoken(t, "encoded")
	sound := string(wav.Encode([]int16{1, -1, 2, -2}, 22050))
	const quiet = "\xff\xff\xfe\xff\x01\x00" // -1, -2, 1: looks like an MP3 frame
	for name, c := range map[string]struct{ mime, body, encoded, want string }{
		"MP3":              {"audio/mpeg", "ID3\x04...", domain.MIMEMP3, "ID3\x04..."},
		"MP3, no tag":      {"audio/mpeg", "\xff\xfb\x90\x64", domain.MIMEMP3, "\xff\xfb\x90\x64"},
		"MP3, no type":     {"", "\xff\xfb\x90\x64", domain.MIMEMP3, "\xff\xfb\x90\x64"},
		"MP3 called WAV":   {"audio/wav", "ID3\x04...", domain.MIMEMP3, "ID3\x04..."},
		"WAV":              {"audio/x-wav", sound, domain.MIMEWAV, sound},
		"WAV called MP3":   {"audio/mpeg", sound, domain.MIMEWAV, sound},
		"samples":          {"audio/L16; rate=24000", quiet, domain.MIMEPCM + "; rate=24000", quiet},
		"samples, pcm":     {"audio/pcm;rate=16000", quiet + "x", domain.MIMEPCM + "; rate=16000", quiet},
		"MP3, octet":       {"application/octet-stream", "ID3\x04...", domain.MIMEMP3, "ID3\x04..."},
		"MP3, broken type": {"audio", "ID3\x04...", domain.MIMEMP3, "ID3\x04..."},
	} {
		e := &encoder{give: note}
		clip, err := newServer(t).answers(200, c.mime, c.body).tts(with(e)).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		require.NoError(t, err, name)
		assert.Equal(t, note, clip, name)
		assert.Equal(t, c.encoded, e.got.MIME(), name)
		assert.Equal(t, c.want, string(e.got.Bytes()), name)
	}
	for _, mime := range []string{"audio/ogg", "audio/mpeg", ""} {
		clip, err := newServer(t).answers(200, mime, string(note.Bytes())).tts(opusOnly).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		require.NoError(t, err, mime)
		assert.Equal(t, note.Bytes(), clip.Bytes(), mime)
		assert.Equal(t, measure(t, note), clip.Duration(), mime)
	}
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
		clip, err := newServer(t).tts(with(&encoder{err: c.err})).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		assert.True(t, clip.Empty(), name)
		assert.Equal(t, c.want, ports.KindOf(err), name)
		assert.ErrorIs(t, err, c.err, name)
	}
	_, err := newServer(t).tts(opusOnly).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), "there is no encoder")
}

func TestAnswersThatAreNoVoiceNote(t *testing.T) {
	good := string(spoken(t, "hello").Bytes())
	stereo := []byte(good)
	stereo[28+9] = 2
	fixCRC(stereo[:47])
	mute := []byte(good)
	binary.LittleEndian.PutUint16(mute[28+10:], 0xffff) // all of it is pre-skip
	fixCRC(mute[:47])
	for name, c := range map[string]struct {
		mime, body string
		want       ports.Kind
		code       string
	}{
		"flipped bit":  {"audio/ogg", good[:len(good)-1] + "x", ports.KindTransient, ""},
		"cut":          {"audio/ogg", good[:len(good)-5], ports.KindTransient, ""},
		"Vorbis":       {"audio/ogg", strings.ReplaceAll(good, "OpusHead", "\x01vorbis "), ports.KindTransient, ""},
		"stereo":       {"audio/ogg", string(stereo), ports.KindUnsupported, ""},
		"mute":         {"audio/ogg", string(mute), ports.KindUnknown, ""},
		"chained":      {"audio/ogg", good + good, ports.KindUnsupported, ""},
		"empty":        {"audio/mpeg", "", ports.KindUnknown, ""},
		"HTML":         {"text/html", "<html>", ports.KindTransient, ""},
		"no MP3":       {"audio/mpeg", "<html>", ports.KindTransient, ""},
		"FLAC":         {"audio/flac", "fLaC", ports.KindUnsupported, ""},
		"AAC":          {"audio/aac", "\xff\xf1\x50\x80", ports.KindUnsupported, ""},
		"no rate":      {"audio/pcm", "abcd", ports.KindUnsupported, ""},
		"one byte":     {"audio/pcm; rate=16000", "a", ports.KindTransient, ""},
		"JSON failure": {"application/json", `{"status":"quota_exceeded","request_id":"r-7"}`, ports.KindDenied, "r-7"},
		"JSON success": {"application/json", `{"status":"success","request_id":"r-7"}`, ports.KindTransient, "r-7"},
		"no JSON":      {"application/json", `x`, ports.KindTransient, ""},
	} {
		clip, err := newServer(t).answers(200, c.mime, c.body).tts(with(&encoder{give: spoken(t, "never")})).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
		assert.True(t, clip.Empty(), name)
		var e *ports.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.want, e.Kind, name)
		assert.Equal(t, c.code, e.Code, name)
	}
	_, err := newServer(t).cuts("audio/mpeg", "ID3\x04...").tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err), "cut connection")
}

// A stream whose last page does not say so is one that was written on the fly.
func TestUnendedStreamIsFinished(t *testing.T) {
	whole := spoken(t, "hello")
	unended := bytes.Clone(whole.Bytes())
	last := bytes.LastIndex(unended, []byte("OggS"))
	unended[last+5] &^= 4
	fixCRC(unended[last:])
	require.ErrorIs(t, oggopus.Check(unended), oggopus.ErrUnended)
	clip, err := newServer(t).answers(200, "audio/ogg", string(unended)).tts(opusOnly).Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	require.NoError(t, err)
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
