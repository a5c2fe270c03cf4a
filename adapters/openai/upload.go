package openai

import (
	"bytes"
	"context"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

// wavRate is the rate Whisper works at, in Hz.
const wavRate = 16_000

// upload is a clip as it is sent. Servers go by the extension of the name.
type upload struct {
	name, mime string
	data       []byte
}

// container is a kind of file and how it begins.
type container struct {
	extension, mime string
	begins          func([]byte) bool
}

var containers = map[string]container{
	"audio/ogg":    {".ogg", "audio/ogg", isOgg},
	"audio/opus":   {".ogg", "audio/ogg", isOgg},
	domain.MIMEWAV: {".wav", "audio/wav", isWAV},
	"audio/x-wav":  {".wav", "audio/wav", isWAV},
	"audio/wave":   {".wav", "audio/wav", isWAV},
	domain.MIMEMP3: {".mp3", "audio/mpeg", isMP3},
	"audio/mp3":    {".mp3", "audio/mpeg", isMP3},
	"audio/mp4":    {".m4a", "audio/mp4", isMP4},
	"audio/m4a":    {".m4a", "audio/mp4", isMP4},
	"audio/x-m4a":  {".m4a", "audio/mp4", isMP4},
	"audio/webm":   {".webm", "audio/webm", starts("\x1a\x45\xdf\xa3")},
	"audio/flac":   {".flac", "audio/flac", starts("fLaC")},
	"audio/aac":    {".aac", "audio/aac", isADTS},
	"audio/amr":    {".amr", "audio/amr", starts("#!AMR")},
}

func starts(magic string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(magic)) }
}

func isOgg(b []byte) bool { return bytes.HasPrefix(b, []byte("OggS")) }

func isWAV(b []byte) bool {
	return len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE"
}

// isMP3 tells an MPEG audio frame from one of AAC by its layer, which AAC lacks.
func isMP3(b []byte) bool {
	return bytes.HasPrefix(b, []byte("ID3")) || len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0 && b[1]&0x06 != 0
}

func isADTS(b []byte) bool { return len(b) > 1 && b[0] == 0xff && b[1]&0xf6 == 0xf0 }

func isMP4(b []byte) bool { return len(b) > 12 && string(b[4:8]) == "ftyp" }

// upload checks a clip before it costs anything and brings it into the form to send.
func (s *STT) upload(ctx context.Context, clip domain.Audio) (upload, error) {
	kind, ok := containers[clip.Type()]
	if !ok {
		return upload{}, unsupported(opSTT, "the server does not take this type of audio")
	}
	up := upload{name: "clip" + kind.extension, mime: kind.mime, data: clip.Bytes()}
	if !kind.begins(up.data) {
		return upload{}, unsupported(opSTT, "the clip is not what its type says")
	}
	if kind.mime == "audio/ogg" {
		length, err := oggopus.Length(up.data)
		if err != nil {
			return upload{}, unsupported(opSTT, err.Error())
		}
		if s.sendWAV {
			if length > maxUpload/2*time.Second/wavRate { // two bytes a sample
				return upload{}, unsupported(opSTT, "the clip is larger than 25 MB as WAV")
			}
			pcm, err := decode(ctx, up.data)
			if err != nil {
				return upload{}, err
			}
			up = upload{name: "clip.wav", mime: domain.MIMEWAV, data: wav.Encode(pcm, wavRate)}
		}
	}
	if len(up.data) > maxUpload {
		return upload{}, unsupported(opSTT, "the clip is larger than 25 MB")
	}
	return up, nil
}

func decode(ctx context.Context, data []byte) ([]int16, error) {
	var out []int16
	for pcm, err := range oggopus.PCM(data, wavRate) {
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, unsupported(opSTT, err.Error())
		}
		out = append(out, pcm...)
	}
	return out, nil
}
