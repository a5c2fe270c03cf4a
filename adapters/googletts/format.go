package googletts

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"time"

	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

// format is one kind of sound file.
type format struct {
	mime     string
	encoding texttospeechpb.AudioEncoding
	// check looks at a file and measures it, where it can. It may return the same sound
	// in a better file.
	check func(data []byte) ([]byte, time.Duration, error)
}

var (
	oggOpus  = format{domain.MIMEOggOpus, texttospeechpb.AudioEncoding_OGG_OPUS, checkOgg}
	waveform = format{domain.MIMEWAV, texttospeechpb.AudioEncoding_LINEAR16, checkWAV}
	mp3      = format{domain.MIMEMP3, texttospeechpb.AudioEncoding_MP3, checkMP3}
)

// formatOf picks the format for a MIME type.
func formatOf(asked string) (format, bool) {
	if asked == "" {
		return oggOpus, true
	}
	base, params, err := mime.ParseMediaType(asked)
	if err != nil {
		return format{}, false
	}
	switch codecs := params["codecs"]; base {
	case "audio/ogg":
		return oggOpus, codecs == "" || codecs == "opus"
	case domain.MIMEWAV:
		return waveform, true
	case domain.MIMEMP3:
		return mp3, true
	}
	return format{}, false
}

// checkOgg accepts what is a voice note as it is. Packets that are sound in a file
// that is not, such as one without an end mark, are put into a new file.
func checkOgg(data []byte) ([]byte, time.Duration, error) {
	info, err := oggopus.Examine(data)
	if err != nil {
		if data, err = rewrite(data); err != nil {
			return nil, 0, err
		}
		if info, err = oggopus.Examine(data); err != nil {
			return nil, 0, err
		}
	}
	return data, info.Duration, nil
}

// rewrite copies the packets of a mono file into a file of our own making.
func rewrite(data []byte) ([]byte, error) {
	r, err := oggopus.NewReader(data)
	if err != nil {
		return nil, err
	}
	head := r.Head()
	if head.Channels != 1 {
		return nil, oggopus.ErrNotMono
	}
	out := bytes.NewBuffer(make([]byte, 0, len(data)))
	w, err := oggopus.NewWriter(out, oggopus.Options{Serial: r.Serial(), PreSkip: head.PreSkip, InputRate: head.InputRate, Gain: head.Gain})
	for err == nil {
		var p oggopus.Packet
		if p, err = r.Next(); err != nil {
			break
		}
		if p.Stream > 0 {
			return nil, oggopus.ErrChained
		}
		err = w.WritePacket(p.Data)
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := w.Close(0); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func checkWAV(data []byte) ([]byte, time.Duration, error) {
	pcm, err := wav.Decode(data)
	switch {
	case err != nil:
		return nil, 0, err
	case pcm.Channels != 1:
		return nil, 0, errors.New("the sound is not mono")
	case len(pcm.Samples) == 0:
		return nil, 0, errors.New("the file holds no sound")
	}
	return data, pcm.Duration(), nil
}

// checkMP3 looks at the beginning only; the length is left unknown.
func checkMP3(data []byte) ([]byte, time.Duration, error) {
	tagged := bytes.HasPrefix(data, []byte("ID3"))
	frame := len(data) > 3 && data[0] == 0xff && data[1]&0xe6 == 0xe2 // eleven bits of sync, then layer III
	if !tagged && !frame {
		return nil, 0, errors.New("the file is not MP3")
	}
	return data, 0, nil
}
