package app

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// plan fixes the parts that say the answer. Speech that fails falls back to the
// answer as text; an apology is always text, because it is sent when things fail.
func (s *session) plan(ctx context.Context) error {
	if s.turn.State() != domain.TurnAnswered {
		return nil
	}
	text := s.turn.Reply().Text
	var parts []domain.Part
	if s.speaks() {
		began := time.Now()
		media, err := s.speak(ctx, text)
		if err != nil {
			s.event(ports.StageFallback, time.Since(began), "speech", err)
		} else {
			s.event(ports.StageSpoken, time.Since(began), "", nil)
			parts = append(parts, domain.Part{Kind: domain.PartVoice, Text: text, Media: media})
		}
	}
	if len(parts) == 0 || s.persona.ReplyMode == ReplyBoth {
		for _, piece := range domain.SplitText(text, domain.MaxTextUnits) {
			parts = append(parts, domain.Part{Kind: domain.PartText, Text: piece})
		}
	}
	return s.turn.Plan(parts)
}

// speaks decides between a voice note and text.
func (s *session) speaks() bool {
	if s.turn.Apology() || s.persona.TTS == nil || s.understood().text == "" {
		return false
	}
	if utf8.RuneCountInString(s.turn.Reply().Text) > s.persona.MaxSpokenChars {
		return false
	}
	switch s.persona.ReplyMode {
	case ReplyVoice, ReplyBoth:
		return true
	case ReplyMirror:
		for i := len(s.inputs) - 1; i >= 0; i-- {
			if domain.StartsTurn(s.inputs[i].Content) {
				_, voice := s.inputs[i].Content.(domain.Voice)
				return voice
			}
		}
	}
	return false
}

// speak synthesizes, checks and uploads the voice note.
func (s *session) speak(ctx context.Context, text string) (domain.MediaID, error) {
	uploader, ok := s.deps.Messenger.(ports.MediaUploader)
	if !ok {
		return "", errors.New("the messenger cannot upload clips")
	}
	ttsCtx, cancel := context.WithTimeout(ctx, synthesizeBudget)
	defer cancel()
	clip, err := s.persona.TTS.Synthesize(ttsCtx, text, ports.TTSOptions{Format: domain.MIMEOggOpus, Language: s.turn.Reply().Language})
	if err != nil {
		return "", fmt.Errorf("synthesize: %w", err)
	}
	if n := len(clip.Bytes()); n > maxNoteBytes {
		return "", fmt.Errorf("the voice note of %d bytes would lose its play button", n)
	}
	if s.opt.CheckNote != nil {
		if err := s.opt.CheckNote(clip); err != nil {
			return "", fmt.Errorf("check the voice note: %w", err)
		}
	}
	upCtx, cancel := context.WithTimeout(ctx, uploadBudget)
	defer cancel()
	media, err := uploader.Upload(upCtx, s.turn.Number(), clip)
	if err != nil {
		return "", fmt.Errorf("upload the voice note: %w", err)
	}
	return media, nil
}
