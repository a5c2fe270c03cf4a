package simulator

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// File is media that a user sends.
type File struct {
	Type     string // audio, image, video, document or sticker; empty: by MIME
	MIME     string
	Data     []byte
	Voice    bool // recorded in the app; only for audio
	Caption  string
	Filename string // documents
	Animated bool   // stickers
	ReplyTo  string // wamid that is quoted
}

// voiceMIME is the media type of a voice note as WhatsApp writes it.
const voiceMIME = "audio/ogg; codecs=opus"

// maxInboundMedia is the largest file a user can send; larger ones never reach a bot.
const maxInboundMedia = 100 << 20

// SendVoice sends a voice note. The bytes are passed on as they are, sound or not.
func (s *Simulator) SendVoice(user string, ogg []byte) (string, error) {
	m, err := s.SendFile(user, File{Type: "audio", MIME: voiceMIME, Data: ogg, Voice: true})
	return m.ID, err
}

// SendFile sends any media message. The caller must not change the bytes afterwards.
func (s *Simulator) SendFile(user string, f File) (Message, error) {
	if f.Type == "" {
		f.Type = mediaTypeOf(f.MIME)
	}
	switch f.Type {
	case "audio", "image", "video", "document", "sticker":
	default:
		return Message{}, errors.New("send file: the type must be audio, image, video, document or sticker")
	}
	if len(f.Data) == 0 || len(f.Data) > maxInboundMedia {
		return Message{}, errors.New("send file: the file must have 1 byte to 100 MB")
	}
	s.mu.Lock()
	if _, err := s.lookup(user); err != nil {
		s.mu.Unlock()
		return Message{}, fmt.Errorf("send file: %w", err)
	}
	item, err := s.storeMedia(f.Data, f.MIME, f.Filename, receivedMediaLife)
	if err != nil {
		s.mu.Unlock()
		return Message{}, fmt.Errorf("send file: %w", err)
	}
	item.voice = f.Voice
	body := obj("mime_type", f.MIME, "sha256", base64.StdEncoding.EncodeToString(item.blob.sum[:]), "id", item.id)
	if s.baseURL != "" { // optional on the wire: it came in November 2025
		body.set("url", s.downloadURL(s.baseURL, item.id))
	}
	s.mu.Unlock()

	switch f.Type {
	case "audio":
		body.set("voice", f.Voice)
	case "sticker":
		body.set("animated", f.Animated)
	case "document":
		body.set("filename", f.Filename)
	}
	if f.Caption != "" && f.Type != "audio" && f.Type != "sticker" {
		body.set("caption", f.Caption)
	}
	c := content(f.Type, body)
	if f.ReplyTo != "" {
		c = c.ReplyTo(f.ReplyTo)
	}
	media := &Media{ID: item.id, MIME: f.MIME, Size: len(f.Data), Voice: f.Voice, Filename: f.Filename}
	if info, err := parseOgg(f.Data); err == nil {
		media.DurationMS = info.durationMS()
	}
	return s.sendOne(user, c, media)
}

func mediaTypeOf(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "audio", "image", "video":
		return kind
	}
	return "document"
}
