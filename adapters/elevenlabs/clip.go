package elevenlabs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"mime"
	"strconv"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

const (
	// minClip and maxClip are the shortest and the longest sound that is transcribed
	// ("Create transcript", "Models").
	minClip = 100 * time.Millisecond
	maxClip = 10 * time.Hour
)

// upload is a clip as it is sent.
type upload struct {
	mime, name string
	data       []byte
	// length is negative where only the vendor can tell.
	length time.Duration
}

// container is a kind of sound file that ElevenLabs reads ("Speech to Text", file
// formats), with what can be said of its first bytes.
type container struct {
	name  string
	looks func(head []byte) bool
}

var containers = map[string]container{
	"audio/mpeg":  {"voice.mp3", voicenote.LooksMP3},
	"audio/mp3":   {"voice.mp3", voicenote.LooksMP3},
	"audio/wav":   {"voice.wav", voicenote.LooksWAV},
	"audio/x-wav": {"voice.wav", voicenote.LooksWAV},
	"audio/wave":  {"voice.wav", voicenote.LooksWAV},
	"audio/mp4":   {"voice.m4a", looksMP4},
	"audio/m4a":   {"voice.m4a", looksMP4},
	"audio/x-m4a": {"voice.m4a", looksMP4},
	"audio/aac":   {"voice.aac", voicenote.LooksAAC},
	"audio/x-aac": {"voice.aac", voicenote.LooksAAC},
	"audio/flac":  {"voice.flac", looksFLAC},
	"audio/webm":  {"voice.webm", looksWebM},
}

// newUpload looks a clip over, so that what cannot be heard costs no call. Its
// errors mean that the clip is unsupported.
func newUpload(clip domain.Audio) (upload, error) {
	switch kind := clip.Type(); kind {
	case "audio/ogg", "audio/opus":
		length, err := oggopus.Length(clip.Bytes())
		return upload{"audio/ogg", "voice.ogg", clip.Bytes(), length}, err
	case domain.MIMEPCM:
		return wrapPCM(clip)
	default:
		c, known := containers[kind]
		switch {
		case !known:
			return upload{}, errors.New("ElevenLabs does not read clips of this type")
		case !c.looks(clip.Bytes()):
			return upload{}, errors.New("the clip is not what its type says")
		}
		return upload{kind, c.name, clip.Bytes(), -1}, nil
	}
}

// wrapPCM puts raw samples into a WAV file: the one raw format that ElevenLabs
// takes is 16 kHz only.
func wrapPCM(clip domain.Audio) (upload, error) {
	_, params, err := mime.ParseMediaType(clip.MIME())
	if err != nil {
		return upload{}, errors.New("the type of the raw samples is malformed")
	}
	rate, err := strconv.Atoi(params["rate"])
	raw := clip.Bytes()
	if err != nil || rate < 8000 || rate > 192_000 || len(raw)%2 != 0 {
		return upload{}, errors.New("the raw samples have no usable rate, or an odd number of bytes")
	}
	pcm := wav.PCM{Rate: rate, Channels: 1, Samples: make([]int16, len(raw)/2)}
	for i := range pcm.Samples {
		pcm.Samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:])) // #nosec G115 -- a sample, of which all bits count
	}
	return upload{domain.MIMEWAV, "voice.wav", wav.Encode(pcm.Samples, rate), pcm.Duration()}, nil
}

func looksMP4(b []byte) bool  { return len(b) >= 8 && string(b[4:8]) == "ftyp" }
func looksFLAC(b []byte) bool { return bytes.HasPrefix(b, []byte("fLaC")) }
func looksWebM(b []byte) bool { return bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) }
