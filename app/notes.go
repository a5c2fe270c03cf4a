package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Pauses between the pieces of a note, on top of the silence that the voices leave.
var pauses = map[domain.PieceEnd]time.Duration{
	domain.EndOfWord:     20 * time.Millisecond,
	domain.EndOfClause:   80 * time.Millisecond,
	domain.EndOfSentence: 160 * time.Millisecond,
	domain.EndOfLine:     280 * time.Millisecond,
}

// note is a voice note with the words of the answer that it says.
type note struct {
	clip domain.Audio
	text string
}

// notes makes the clips one note, or several when they do not fit into one that
// plays. Clips that do not go together, as those of two engines, are no reason to be
// silent: the answer is spoken once more in one piece then.
func (s *session) notes(ctx context.Context, sp *speech) (notes []note, aside string, err error) {
	voiced, aside := sp.voiced()
	if len(voiced) == 0 {
		return nil, "", errors.New("nothing in the answer can be spoken")
	}
	whole, err := s.joinClips(voiced)
	if err != nil && len(voiced) > 1 {
		s.event(ports.StageTrouble, 0, "the clips do not make one note, so the answer is spoken in one piece", err)
		one := &piece{spoken: words(voiced, func(p *piece) string { return p.spoken })}
		if err = sp.speak(one); err == nil {
			voiced = []*piece{one}
			whole, err = s.joinClips(voiced)
		}
	}
	switch {
	case err != nil:
		return nil, "", err
	case len(whole.Bytes()) <= maxNoteBytes:
		return []note{{clip: whole, text: s.turn.Reply().Text}}, aside, nil
	}
	notes, err = s.split(voiced, len(whole.Bytes()))
	return notes, aside, err
}

// voiced lists the pieces that have a clip, and joins what is to be read.
func (sp *speech) voiced() (voiced []*piece, aside string) {
	var asides []string
	for _, p := range sp.pieces {
		if p.aside != "" {
			asides = append(asides, p.aside)
		}
		if p.spoken != "" {
			voiced = append(voiced, p)
		}
	}
	return voiced, strings.Join(asides, "\n")
}

func words(pieces []*piece, of func(*piece) string) string {
	all := make([]string, len(pieces))
	for i, p := range pieces {
		all[i] = of(p)
	}
	return strings.Join(all, " ")
}

// joinClips makes one note of pieces and looks at it a last time: nothing that is
// corrupt, or far too short or long for its words, is ever sent.
func (s *session) joinClips(pieces []*piece) (domain.Audio, error) {
	clips, after := make([]domain.Audio, len(pieces)), make([]time.Duration, len(pieces))
	for i, p := range pieces {
		clips[i], after[i] = p.clip, pauses[p.end]
	}
	whole := clips[0]
	if len(clips) > 1 {
		var err error
		if whole, err = s.opt.Notes.Join(clips, after); err != nil {
			return domain.Audio{}, fmt.Errorf("join the clips: %w", err)
		}
	}
	characters := utf8.RuneCountInString(words(pieces, func(p *piece) string { return p.spoken }))
	if err := s.opt.Notes.Check(whole, characters); err != nil {
		return domain.Audio{}, fmt.Errorf("check the voice note: %w", err)
	}
	return whole, nil
}

// split makes as few notes as fit, of about the same size, each cut between pieces.
func (s *session) split(pieces []*piece, size int) ([]note, error) {
	share := size/(size/(maxNoteBytes*9/10)+1) + 1
	var notes []note
	for len(pieces) > 0 {
		n, bytes := 0, 0
		for n < len(pieces) && (n == 0 || bytes+len(pieces[n].clip.Bytes()) <= maxNoteBytes*9/10 && bytes < share) {
			bytes += len(pieces[n].clip.Bytes())
			n++
		}
		clip, err := s.joinClips(pieces[:n])
		if err != nil {
			return nil, err
		}
		if got := len(clip.Bytes()); got > maxNoteBytes {
			return nil, fmt.Errorf("the voice note of %d bytes would lose its play button", got)
		}
		notes = append(notes, note{clip: clip, text: words(pieces[:n], func(p *piece) string { return p.written })})
		pieces = pieces[n:]
	}
	return notes, nil
}
