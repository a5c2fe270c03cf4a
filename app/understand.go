package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// understanding is what the user's messages come to: words for the model, or a
// notice that says why there are none.
type understanding struct {
	text string
	// language is the one the user was heard in, as the persona allows it; empty when
	// nothing was heard or the engine does not say.
	language string
	notice   notice // used when text is empty
	// stranger is the language behind noticeStranger.
	stranger string
	found    []string // what the filters changed
}

// understand hears every voice message of the turn, several in parallel, keeps
// each transcript, and joins everything to one remark.
func (s *session) understand(ctx context.Context) (understanding, error) {
	began := time.Now()
	heard, err := s.hear(ctx)
	if err != nil {
		return understanding{}, err
	}
	if heard > 0 {
		if err := s.linger(ctx); err != nil {
			return understanding{}, err
		}
	}
	if s.turn.State() == domain.TurnReceived {
		if err := s.turn.Transcribed(); err != nil {
			return understanding{}, err
		}
	}
	if heard > 0 {
		detail := strconv.Itoa(heard) + " clips"
		if n := s.unclear(); n > 0 {
			detail += ", " + strconv.Itoa(n) + " unclear"
		}
		s.event(ports.StageTranscribed, time.Since(began), detail, nil)
		if err := s.checkpoint(ctx); err != nil {
			return understanding{}, err
		}
	}
	said := s.understood()
	s.filtered("in", said.found)
	return said, nil
}

// unclear counts the voice messages that were heard and cannot be used.
func (s *session) unclear() int {
	n := 0
	for _, m := range s.inputs {
		if tr, heard := s.turn.Transcript(m.ID); heard {
			if _, _, why := s.persona.judge(tr); why != "" {
				n++
			}
		}
	}
	return n
}

// heard is what came of one clip.
type heard struct {
	message    domain.MessageID
	transcript domain.Transcript
	err        error
}

// hear transcribes the voice messages that were not heard before and reports how
// many those were. Those that come meanwhile are heard at once, beside the others. A
// clip that cannot be had or read leaves an empty transcript: the user is asked to
// repeat it. Any other failure is the turn's.
func (s *session) hear(ctx context.Context) (int, error) {
	if len(s.unheard()) == 0 {
		return 0, nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxParallelClips)
	results := make(chan heard, ports.MaxPending)
	begun := map[domain.MessageID]bool{}
	begin := func() {
		// Asked here, since the conversation may learn more while the clips are heard.
		opt := ports.STTOptions{Languages: s.persona.Languages.Led(s.remembered())}
		for _, m := range s.unheard() {
			if begun[m.ID] {
				continue
			}
			begun[m.ID] = true
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				tr, err := s.transcribe(ctx, m.Content.(domain.Voice).Media, opt)
				results <- heard{message: m.ID, transcript: tr, err: err}
			})
		}
	}
	begin()
	var faults []error
	for done := 0; done < len(begun); {
		select {
		case r := <-results:
			done++
			switch ports.KindOf(r.err) {
			case ports.KindUnsupported, ports.KindNotFound:
				// Trying again cannot help, and the user can record it once more.
				s.event(ports.StageRefused, 0, "clip", r.err)
				s.refuseClip(r.message, r.err)
				r.err = nil
			}
			if r.err == nil {
				r.err = s.turn.Hear(r.message, r.transcript)
			}
			faults = append(faults, r.err)
		case <-s.work.News:
			if _, err := s.join(ctx); err != nil {
				faults = append(faults, err)
				s.work.News, s.work.NewsExact = nil, false // heard to the end first, so that no transcript is lost
			}
			begin()
		}
	}
	return len(begun), errors.Join(faults...)
}

// unheard lists the voice messages without a transcript.
func (s *session) unheard() []domain.Message {
	if s.turn.State() != domain.TurnReceived || s.persona.STT == nil {
		return nil
	}
	var clips []domain.Message
	for _, m := range s.inputs {
		_, voice := m.Content.(domain.Voice)
		_, heard := s.turn.Transcript(m.ID)
		if voice && !heard && m.Group == "" {
			clips = append(clips, m)
		}
	}
	return clips
}

// transcribe fetches one clip and turns it into text. It has a goroutine of its own, so
// a panic below it must end here: it would end the process, and print what it quotes.
func (s *session) transcribe(ctx context.Context, ref domain.MediaRef, opt ports.STTOptions) (_ domain.Transcript, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ports.Panicked(p)
		}
	}()
	fetchCtx, cancel := context.WithTimeout(ctx, fetchBudget)
	defer cancel()
	media, err := s.deps.Messenger.FetchMedia(fetchCtx, ref)
	if err != nil {
		return domain.Transcript{}, fmt.Errorf("fetch the voice message: %w", err)
	}
	clip, err := domain.NewAudio(media.MIME, media.Data, 0)
	if err != nil {
		return domain.Transcript{}, &ports.Error{Op: "voice message", Kind: ports.KindUnsupported, Err: err}
	}
	if err := s.admitClip(clip); err != nil {
		return domain.Transcript{}, err
	}
	hearCtx, cancel := context.WithTimeout(ctx, transcribeBudget)
	defer cancel()
	transcript, err := s.persona.STT.Transcribe(hearCtx, clip, opt)
	if err != nil {
		return domain.Transcript{}, fmt.Errorf("transcribe the voice message: %w", err)
	}
	transcript.Text = strings.TrimSpace(transcript.Text)
	return transcript, nil
}

// understood joins the messages of the turn to one remark, from what is known
// without asking anybody.
func (s *session) understood() understanding {
	var u understanding
	var lines []string
	for _, m := range s.inputs {
		line, why := s.words(m)
		language := ""
		if tr, ok := s.turn.Transcript(m.ID); ok {
			_, language, _ = s.persona.judge(tr)
		}
		line, found := s.filterIn(line, language)
		u.found = append(u.found, found...)
		if line == "" && why == "" && m.Group == "" && domain.StartsTurn(m.Content) {
			why = noticeEmpty // there was nothing but what nobody sees
		}
		switch {
		case line != "":
			lines = append(lines, line)
			if language != "" {
				u.language = language
			}
		case why != "" && u.notice != noticeStranger: // which tells more than the others
			u.notice = why
			if tr, ok := s.turn.Transcript(m.ID); ok {
				u.stranger, _ = domain.CleanLanguage(tr.Language)
			}
		}
	}
	u.text = strings.Join(lines, "\n")
	return u
}

// words gives a message as words for the model, or the notice that says why it
// has none; both are empty for a message that asks for no answer.
func (s *session) words(m domain.Message) (string, notice) {
	if m.Group != "" {
		return "", ""
	}
	switch c := m.Content.(type) {
	case domain.Text:
		return nonEmpty(c.Body, noticeEmpty)
	case domain.Voice:
		if s.persona.STT == nil {
			return "", noticeNoEars
		}
		if s.tooLong[m.ID] {
			return "", noticeTooLong
		}
		tr, _ := s.turn.Transcript(m.ID)
		text, _, why := s.persona.judge(tr)
		return text, why
	case domain.ButtonReply:
		return nonEmpty(firstOf(c.Title, c.ID), noticeEmpty)
	case domain.ListReply:
		return nonEmpty(strings.TrimSpace(firstOf(c.Title, c.ID)+" "+c.Description), noticeEmpty)
	case domain.FlowReply:
		return nonEmpty(strings.TrimSpace(c.Body+" "+c.Response), noticeEmpty)
	case domain.Location:
		return locationWords(c), ""
	case domain.Contacts:
		return nonEmpty(contactWords(c), noticeEmpty)
	case domain.Order:
		return orderWords(c), ""
	case domain.Image:
		return captionWords(c.Caption, "a picture", noticeImage)
	case domain.Video:
		return captionWords(c.Caption, "a video", noticeVideo)
	case domain.Document:
		return captionWords(c.Caption, "a document", noticeDocument)
	case domain.Sticker:
		return "", noticeSticker
	case domain.Unsupported:
		if c.Code == codeMediaNotDownloadable {
			return "", noticeNotHeard
		}
		return "", noticeUnsupported
	}
	return "", ""
}

// codeMediaNotDownloadable is Meta's code for a user's media that is too large or
// cannot be downloaded (Meta, "Error codes").
const codeMediaNotDownloadable = 131052

func nonEmpty(text string, otherwise notice) (string, notice) {
	if text = strings.TrimSpace(text); text != "" {
		return text, ""
	}
	return "", otherwise
}

func firstOf(a, b string) string {
	if strings.TrimSpace(a) != "" {
		return a
	}
	return b
}

// captionWords uses a caption and tells the model what it cannot see.
func captionWords(caption, what string, otherwise notice) (string, notice) {
	if caption = strings.TrimSpace(caption); caption == "" {
		return "", otherwise
	}
	return fmt.Sprintf("%s\n(The message came with %s that you cannot see.)", caption, what), ""
}

func locationWords(l domain.Location) string {
	place := strings.Trim(strings.Join([]string{l.Name, l.Address}, ", "), ", ")
	at := strconv.FormatFloat(l.Latitude, 'f', 5, 64) + ", " + strconv.FormatFloat(l.Longitude, 'f', 5, 64)
	if place == "" {
		return "My location: " + at
	}
	return "My location: " + place + " (" + at + ")"
}

func contactWords(c domain.Contacts) string {
	if len(c.Names) == 0 {
		return ""
	}
	return "I am sharing the contact of " + strings.Join(c.Names, ", ")
}

func orderWords(o domain.Order) string {
	var b strings.Builder
	b.WriteString("My order:")
	for _, item := range o.Items {
		fmt.Fprintf(&b, " %d x %s at %s %s;", item.Quantity, item.ProductID, strconv.FormatFloat(item.Price, 'f', -1, 64), item.Currency)
	}
	if o.Note != "" {
		b.WriteString(" " + o.Note)
	}
	return strings.TrimSuffix(b.String(), ";")
}
