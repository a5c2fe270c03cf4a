package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	aside := ""
	if s.speaks() {
		var err error
		parts, aside, err = s.voice(ctx)
		switch {
		case errors.Is(err, errStale), errors.Is(err, errStore):
			return err
		case err != nil:
			s.event(ports.StageFallback, 0, "speech", err)
		}
	}
	switch {
	case len(parts) == 0 || s.persona.ReplyMode == ReplyBoth:
		for _, piece := range domain.SplitText(text, domain.MaxTextUnits) {
			parts = append(parts, domain.Part{Kind: domain.PartText, Text: piece})
		}
	case aside != "" && s.persona.SendAside:
		for _, piece := range domain.SplitText(aside, domain.MaxTextUnits) {
			parts = append(parts, domain.Part{Kind: domain.PartText, Text: piece, Aside: true})
		}
	}
	return s.turn.Plan(parts)
}

// speaks decides between a voice note and text. What a gate says is written: it costs no
// vendor, and a person who is told to write a word has to see it.
func (s *session) speaks() bool {
	return !s.turn.Apology() && s.instead == nil && s.understood().text != "" && s.wantsVoice() &&
		utf8.RuneCountInString(s.turn.Reply().Text) <= s.persona.MaxSpokenChars
}

// wantsVoice tells whether an answer that is not too long would be spoken.
func (s *session) wantsVoice() bool {
	if s.persona.TTS == nil || s.rung > rungVoice {
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

// listenTo begins to speak an answer of which the first words are expected, where it
// is to be spoken while it is written.
func (s *session) listenTo(ctx context.Context, language string) {
	s.hush()
	first := ports.Event{
		Stage: ports.StageFirstAudio, Turn: s.turn.ID(), Conversation: s.conv.ID(), Messages: s.turn.Inputs(),
		User: s.turn.To(), Trace: s.turn.Trace(),
	}
	ctx, traced := s.step(ctx, stepSpeak)
	s.speech = newSpeech(ctx, s.persona.TTS, language, s.opt.SpeakParallel, &s.voices, func(took time.Duration) {
		first.At, first.Took = time.Now(), took
		s.deps.Observer.Observe(first)
	})
	if s.deps.Tracer != nil {
		var once sync.Once
		s.speech.traced = func(err error) { once.Do(func() { traced(err) }) }
	}
	s.speech.vet = s.vetPieces(language)
}

// hush ends what is being spoken, if anything is.
func (s *session) hush() {
	if s.speech != nil {
		s.speech.hush()
		s.speech = nil
	}
}

// speakRest speaks what is left of the fixed answer, or all of it when what was
// spoken before does not fit.
func (s *session) speakRest(ctx context.Context) {
	reply := s.turn.Reply()
	switch {
	case !s.speaks():
		s.hush()
		return
	case s.speech != nil && s.speech.failure() == nil && s.speech.end(reply):
		return
	}
	s.listenTo(ctx, reply.Language)
	s.speech.end(reply)
}

// voice makes the voice notes of the answer, most often one, and uploads them. The
// aside is what a listener needs in writing.
func (s *session) voice(ctx context.Context) (parts []domain.Part, aside string, err error) {
	uploader, ok := s.deps.Messenger.(ports.MediaUploader)
	if !ok {
		return nil, "", errors.New("the messenger cannot upload clips")
	}
	if s.speech == nil || !s.speech.ended {
		s.speakRest(ctx)
	}
	sp := s.speech
	defer s.hush()
	for done := sp.spoken(); done != nil; {
		select {
		case <-done:
			done = nil
		case <-s.work.News:
			if err := s.newcomers(ctx); err != nil {
				return nil, "", err
			}
		}
	}
	if err := sp.failure(); err != nil {
		return nil, "", err
	}
	_, encoded := s.step(ctx, stepEncode)
	notes, aside, err := s.notes(ctx, sp)
	encoded(err)
	sp.traced(err)
	if err != nil {
		return nil, "", err
	}
	s.event(ports.StageSpoken, time.Since(sp.began), fmt.Sprintf("%d pieces", len(sp.pieces)), nil)
	for _, n := range notes {
		upCtx, cancel := context.WithTimeout(ctx, uploadBudget)
		media, err := uploader.Upload(upCtx, s.turn.Number(), n.clip)
		cancel()
		if err != nil {
			return nil, "", fmt.Errorf("upload the voice note: %w", err)
		}
		parts = append(parts, domain.Part{Kind: domain.PartVoice, Text: n.text, Media: media})
	}
	return parts, aside, nil
}
