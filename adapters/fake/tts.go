package fake

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "fake.tts"

const (
	// charTime is how long one character is spoken: about 17 a second, as people do.
	charTime = 60 * time.Millisecond
	// maxSpoken bounds a text in bytes; the words must fit into the clip's comments.
	maxSpoken = 50_000
	wavRate   = 16_000
	// transcriptTag names the comment that holds a clip's words.
	transcriptTag = "TRANSCRIPT"
)

// TTS is a scripted voice. Its clips are silent but valid, take 60 ms a character,
// and carry their words in a comment for STT. It speaks Ogg/Opus and WAV.
type TTS struct {
	desk[TTSCall]
}

// TTSCall is one logged call.
type TTSCall struct {
	At      time.Time
	Text    string
	Options ports.TTSOptions
}

// NewTTS makes a voice with the given knobs.
func NewTTS(k Knobs) (*TTS, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	t := &TTS{}
	t.knobs = k
	return t, nil
}

// Synthesize implements ports.TTSPort.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.FromContext(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	format := opt.Format
	if format == "" {
		format = domain.MIMEOggOpus
	}
	isWAV := format == domain.MIMEWAV
	switch {
	case strings.TrimSpace(text) == "":
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindInvalid, Err: errors.New("there is nothing to say")}
	case len(text) > maxSpoken:
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnsupported, Err: errors.New("the text is too long")}
	case !isWAV && format != domain.MIMEOggOpus && format != "audio/ogg":
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnsupported, Err: errors.New("the format is neither Ogg/Opus nor WAV")}
	}
	k, fails := t.begin(TTSCall{At: time.Now(), Text: text, Options: opt})
	letters := utf8.RuneCountInString(text)
	if err := k.wait(ctx, opTTS, k.Speak+time.Duration(letters)*k.PerChar); err != nil {
		return domain.Audio{}, err
	}
	if fails {
		k.explode(text)
		return domain.Audio{}, k.failure(opTTS)
	}
	length := max(200*time.Millisecond, time.Duration(letters)*charTime)
	if k.Empty {
		length = 0
	}
	clip, err := makeClip(text, length, isWAV != k.WrongFormat)
	if err != nil || !k.Corrupt {
		return clip, err
	}
	data := clip.Bytes()
	data[len(data)/2] ^= 0xff // the clip was made for this call alone
	return clip, nil
}

// Clip makes a silent Ogg/Opus clip that carries words for STT; with no words it
// is heard as silence. It lasts at least 20 ms.
func Clip(words string, length time.Duration) (domain.Audio, error) {
	return makeClip(words, max(length, 20*time.Millisecond), false)
}

func makeClip(words string, length time.Duration, asWAV bool) (domain.Audio, error) {
	packets := int((length + 19*time.Millisecond) / (20 * time.Millisecond))
	length = time.Duration(packets) * 20 * time.Millisecond
	if asWAV {
		samples := make([]int16, int(length/time.Millisecond)*wavRate/1000)
		return domain.NewAudio(domain.MIMEWAV, wav.Encode(samples, wavRate), length)
	}
	trim := 0
	opt := oggopus.Options{
		Serial:    crc32.ChecksumIEEE([]byte(words)),
		InputRate: wavRate,
		PreSkip:   oggopus.DefaultPreSkip, // a player's decoder settles in these; players complain of fewer
		Comments:  []string{transcriptTag + "=" + words},
	}
	if packets == 0 {
		opt.PreSkip = oggopus.SilenceSamples - 1 // the shortest sound a stream can hold
		packets, length = 1, time.Second/oggopus.ClockRate
	} else {
		packets++ // makes up for the skipped start; the rest of it is trimmed
		trim = oggopus.SilenceSamples - oggopus.DefaultPreSkip
	}
	var data bytes.Buffer
	w, err := oggopus.NewWriter(&data, opt)
	for range packets {
		if err == nil {
			err = w.WritePacket(oggopus.SilencePacket())
		}
	}
	if err == nil {
		err = w.Close(trim)
	}
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: err}
	}
	return domain.NewAudio(domain.MIMEOggOpus, data.Bytes(), length)
}
