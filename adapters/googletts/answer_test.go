package googletts_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/googletts"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

// checksum makes an edited page's checksum right again (RFC 3533, section 6).
func checksum(page []byte) {
	copy(page[22:26], make([]byte, 4))
	sum := uint32(0)
	for _, b := range page {
		sum ^= uint32(b) << 24
		for range 8 {
			if sum&(1<<31) != 0 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(page[22:], sum)
}

// lastPage is where the last page of a file begins.
func lastPage(file []byte) int { return bytes.LastIndex(file, []byte("OggS")) }

func recording(t *testing.T, length time.Duration) []byte {
	t.Helper()
	data, err := googlefake.Recording(secret, length)
	require.NoError(t, err)
	return data
}

// TestAnswerIsLookedAt: what is not what was asked for is an outage and no clip.
func TestAnswerIsLookedAt(t *testing.T) {
	note := recording(t, time.Second)
	stereo := bytes.Clone(note)
	stereo[28+9] = 2
	checksum(stereo[:28+19])
	flipped := bytes.Clone(note)
	flipped[len(flipped)-1] ^= 1
	short := recording(t, 200*time.Millisecond) // one page of sound
	headers := short[:lastPage(short)]
	waveform := wav.Encode(make([]int16, 100), 24_000)
	twoChannels := bytes.Clone(waveform)
	twoChannels[22] = 2
	mp3, err := googlefake.Sound("Hello", texttospeechpb.AudioEncoding_MP3)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		format string
		sound  []byte
		good   bool
	}{
		"Ogg/Opus":            {domain.MIMEOggOpus, note, true},
		"WAV for Ogg":         {domain.MIMEOggOpus, waveform, false},
		"words for Ogg":       {domain.MIMEOggOpus, []byte(secret), false},
		"stereo":              {domain.MIMEOggOpus, stereo, false},
		"wrong checksum":      {domain.MIMEOggOpus, flipped, false},
		"cut short":           {domain.MIMEOggOpus, note[:len(note)-9], false},
		"no packets":          {domain.MIMEOggOpus, headers, false},
		"two streams":         {domain.MIMEOggOpus, append(bytes.Clone(note), note...), false},
		"WAV":                 {domain.MIMEWAV, waveform, true},
		"Ogg for WAV":         {domain.MIMEWAV, note, false},
		"stereo WAV":          {domain.MIMEWAV, twoChannels, false},
		"WAV without samples": {domain.MIMEWAV, wav.Encode(nil, 24_000), false},
		"MP3":                 {domain.MIMEMP3, mp3, true},
		"MP3 with a tag":      {domain.MIMEMP3, append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), mp3...), true},
		"Ogg for MP3":         {domain.MIMEMP3, note, false},
		"AAC for MP3":         {domain.MIMEMP3, []byte{0xff, 0xf1, 0x50, 0x80, 0}, false},
		"one byte for MP3":    {domain.MIMEMP3, []byte{0xff}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := googlefake.Start(t)
			s.BreakVoice(googlefake.Faults{Sound: tt.sound})
			clip, err := voice(t, s, googletts.Config{}).Synthesize(t.Context(), "Hello", ports.TTSOptions{Format: tt.format})
			if tt.good {
				require.NoError(t, err)
				assert.Equal(t, tt.sound, clip.Bytes(), "taken as it is")
				return
			}
			require.Equal(t, ports.KindTransient, ports.KindOf(err), err)
			assert.NotContains(t, err.Error(), secret)
			assert.True(t, clip.Empty())
		})
	}
}

// TestSoundPacketsInAPoorFile: packets that are sound are put into a file that plays
// as a voice note.
func TestSoundPacketsInAPoorFile(t *testing.T) {
	whole := recording(t, 3*time.Second)
	unended := bytes.Clone(whole)
	page := unended[lastPage(unended):]
	page[5] &^= 4 // the mark of the last page
	checksum(page)
	require.ErrorIs(t, oggopus.Check(unended), oggopus.ErrUnended)
	far := bytes.Clone(whole)
	page = far[lastPage(far):]
	binary.LittleEndian.PutUint64(page[6:], 1<<40) // a granule position of 265 days
	checksum(page)
	require.Error(t, oggopus.Check(far))
	for name, poor := range map[string][]byte{"without an end": unended, "granule position": far} {
		t.Run(name, func(t *testing.T) {
			s := googlefake.Start(t)
			s.BreakVoice(googlefake.Faults{Sound: poor})
			clip, err := voice(t, s, googletts.Config{}).Synthesize(t.Context(), "Hello", ports.TTSOptions{})
			require.NoError(t, err)
			require.NoError(t, oggopus.Check(clip.Bytes()))
			assert.Equal(t, measure(t, clip), clip.Duration())
			assert.InDelta(t, 3*time.Second, clip.Duration(), float64(20*time.Millisecond))
			assert.Equal(t, packets(t, whole), packets(t, clip.Bytes()))
		})
	}
}

func packets(t *testing.T, file []byte) (all [][]byte) {
	t.Helper()
	for p, err := range oggopus.Packets(file) {
		require.NoError(t, err)
		all = append(all, p.Data)
	}
	return all
}

func TestEmptyAnswerIsUnknown(t *testing.T) {
	s := googlefake.Start(t)
	s.BreakVoice(googlefake.Faults{Empty: true})
	clip, err := voice(t, s, googletts.Config{}).Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	assert.Equal(t, ports.KindUnknown, ports.KindOf(err))
	assert.True(t, clip.Empty())
}

// TestAnswerIsReadThroughALimit: 5,000 bytes of text last some ten minutes at most.
func TestAnswerIsReadThroughALimit(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	s.BreakVoice(googlefake.Faults{Sound: wav.Encode(make([]int16, 12_000_000), 24_000)}) // above gRPC's own 4 MB
	clip, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{Format: domain.MIMEWAV})
	require.NoError(t, err)
	assert.Equal(t, 500*time.Second, clip.Duration())
	s.BreakVoice(googlefake.Faults{Sound: make([]byte, 33<<20)})
	_, err = v.Synthesize(t.Context(), "Hello", ports.TTSOptions{Format: domain.MIMEWAV})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	assert.ErrorContains(t, err, "too large")
}
