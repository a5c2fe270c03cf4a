package app

import (
	"errors"
	"strings"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Vetting says what an answer of a model is looked through for before it is spoken or
// sent. What fails is not mended: a sentence of the bot's own takes its place.
type Vetting struct {
	// Secrets: configured values, and whatever looks like a key or a token.
	Secrets bool
	// Contacts: telephone and card numbers and e-mail addresses that neither the
	// operator, nor the user, nor a tool gave.
	Contacts bool
	// Prompt: the system prompt quoted at length.
	Prompt bool
}

// Why an answer is withheld, as the Detail of ports.StageWithheld.
const (
	withheldSecret  = "secret"
	withheldKey     = "key"
	withheldContact = "contact"
	withheldPrompt  = "prompt"
)

// errWithheld ends an answer in which something was found that must not be said.
var errWithheld = errors.New("the answer must not be given")

const (
	// promptRun is how many words of the operator's prompt in a row are a quotation. It
	// is generous: a prompt holds facts, such as opening hours, that are meant to be said.
	promptRun = 24
	// ruleRun is the same for the rules that go for every bot, which hold no facts.
	ruleRun = 12
	// vetTail is how much of what was spoken before is looked at again together with the
	// next piece, in bytes: a number can be cut.
	vetTail = 240
)

// quotations prepare what is not to be quoted.
func (p *Persona) quotations() []domain.Quotes {
	if !p.Vetting.Prompt {
		return nil
	}
	return []domain.Quotes{
		domain.NewQuotes(p.SystemPrompt, promptRun), domain.NewQuotes(dataRule, ruleRun), domain.NewQuotes(scopeRule, ruleRun),
	}
}

// unfit says why a text must not be given to the user, or "". An answer that is fit
// costs some microseconds.
func (s *session) unfit(text string) string {
	v := s.persona.Vetting
	if v.Secrets {
		if s.secrets == nil && s.opt.Secrets != nil {
			s.secrets = domain.NewSecrets(s.opt.Secrets()...)
		}
		if s.secrets.In(text) {
			return withheldSecret
		}
		if key := domain.FindKey(text); key != "" && !strings.Contains(s.given(), key) {
			return withheldKey
		}
	}
	if v.Contacts {
		if found := domain.FindContacts(text); len(found) > 0 {
			given := s.given()
			for _, f := range found {
				if !f.Known(given) {
					return withheldContact
				}
			}
		}
	}
	if domain.AnyIn(s.persona.quotes, text) {
		return withheldPrompt
	}
	return ""
}

// given is everything the model was told in this turn. It is put together only when
// there is something to look for in it.
func (s *session) given() string {
	parts := []string{s.persona.SystemPrompt, s.understood().text, "\n" + string(s.conv.Contact().Phone)}
	for _, remark := range s.conv.History() {
		parts = append(parts, remark.Text)
	}
	return strings.Join(append(parts, s.vouched...), "\n")
}

// vouch lets the model repeat what a trusted source told it in this turn, as a tool.
func (s *session) vouch(text string) { s.vouched = append(s.vouched, text) }

// polish makes words of a model fit for a person: without what nobody sees, without
// the marks of fences, and as the filters leave them.
func (s *session) polish(text, language string) (polished string, found []string) {
	text = domain.CleanText(domain.WithoutFences(text))
	for _, f := range s.persona.FiltersOut {
		var more []string
		text, more = f.Filter(text, language)
		found = append(found, more...)
	}
	return text, found
}

// vetted is the answer as it may be given: polished, not longer than allowed, or the
// sentence that takes its place.
func (s *session) vetted(said understanding, reply domain.Reply) (domain.Reply, error) {
	var found []string
	reply.Text, found = s.polish(reply.Text, reply.Language)
	reply.Text = strings.TrimSpace(reply.Text)
	s.filtered("out", found)
	if reply.Text == "" {
		return domain.Reply{}, domain.ErrEmptyReply
	}
	if limit := s.persona.MaxAnswerChars; limit > 0 && utf8.RuneCountInString(reply.Text) > limit {
		reply.Text = domain.WholeSentences(firstRunes(reply.Text, limit))
		s.event(ports.StageTrimmed, 0, "length", nil)
	}
	if why := s.unfit(reply.Text); why != "" {
		return s.withhold(said, why), nil
	}
	return reply, nil
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// withhold puts a sentence in place of the answer, and silences what is being spoken.
func (s *session) withhold(said understanding, why string) domain.Reply {
	s.hush()
	s.withheld = true
	s.event(ports.StageWithheld, 0, why, nil)
	language := s.language(said)
	return domain.Reply{Text: sentence(noticeWithheld, language), Language: language}
}

// vetPieces looks through an answer piece by piece while it is spoken. It returns what
// to speak, or false when nothing of the answer may be said.
func (s *session) vetPieces(language string) func(domain.Piece) (string, bool) {
	tail, end := "", domain.EndOfLine
	return func(p domain.Piece) (string, bool) {
		piece, _ := s.polish(p.Text, language)
		all := tail + "\n" + piece
		if end == domain.EndOfWord {
			all = tail + " " + piece // a number may go on
		}
		end = p.End
		if s.withheldWhy = s.unfit(all); s.withheldWhy != "" {
			return "", false
		}
		tail = all[max(0, len(all)-vetTail):]
		return piece, true
	}
}

// silenced reports that the answer being read was found unfit while it was spoken.
func (s *session) silenced() bool {
	return s.speech != nil && errors.Is(s.speech.failure(), errWithheld)
}

// filtered tells the observer what filters found, each name
// once.
func (s *session) filtered(way string, found []string) {
	if len(found) == 0 {
		return
	}
	seen := map[string]bool{}
	for _, name := range found {
		if !seen[name] {
			seen[name] = true
			s.event(ports.StageFiltered, 0, way+" "+name, nil)
		}
	}
}

// filterIn gives a line of the user as the filters leave it.
func (s *session) filterIn(line, language string) (string, []string) {
	line = strings.TrimSpace(domain.CleanText(line))
	var found []string
	for _, f := range s.persona.FiltersIn {
		var more []string
		line, more = f.Filter(line, language)
		found = append(found, more...)
	}
	return line, found
}
