package app

import (
	"fmt"
	"strings"

	"whatsappnode/domain"
)

// Which language is spoken, in one place:
//
//   - A voice message must be heard in one of the persona's languages, or the user
//     is told, in text, which ones there are. What was heard is remembered for the
//     conversation.
//   - The answer is in the user's language. A model that may choose between several
//     says with a mark which one it took, and the voice follows that mark; else it
//     follows what was heard, else what is remembered, else the first of the list.
//   - Nobody can tell the language of a typed message but the model: it answers in
//     that language where it is one of the list, else in the conversation's.

// judge decides what a transcript is worth: its words and its language, or a notice
// that says why there are none. Silence, noise and words that the engine itself
// doubts are not made into a question nobody asked.
func (p *Persona) judge(tr domain.Transcript) (words, language string, why notice) {
	words = tr.Words()
	if words == "" || (tr.Confidence > 0 && tr.Confidence < p.MinConfidence) {
		return "", "", noticeNotHeard
	}
	detected, ok := domain.CleanLanguage(tr.Language)
	if !ok {
		return words, "", "" // the engine does not say
	}
	if language, ok = p.Languages.Allow(detected); !ok {
		return "", "", noticeStranger
	}
	return words, language, ""
}

// remembered is the language the user was last heard in, or empty. A persona whose
// list has changed since forgets what is not on it.
func (s *session) remembered() string {
	language, _ := s.persona.Languages.Allow(s.conv.Language())
	return language
}

// language is the user's, as far as it is known.
func (s *session) language(said understanding) string {
	for _, l := range []string{said.language, s.remembered()} {
		if l != "" {
			return l
		}
	}
	return s.persona.Languages.First()
}

// asked is the language the model is told to answer in: the one that was heard, or
// the only one there is. Where a message was typed it finds out for itself.
func (s *session) asked(said understanding) string {
	if said.language == "" && len(s.persona.Languages) == 1 {
		return s.persona.Languages.First()
	}
	return said.language
}

// instruction is the standing part of the system prompt, with the choice of languages
// where there is one.
func (s *session) instruction(said understanding) string {
	p := s.persona
	if len(p.Languages) < 2 {
		return p.standing
	}
	rule := fmt.Sprintf("Answer in the language of the user's last message if it is one of these: %s. If it is another, answer in %s.",
		strings.Join(p.Languages, ", "), s.language(said))
	if p.ReplyMode != ReplyText {
		rule += fmt.Sprintf(" Begin every answer with the tag of the language it is in, like this: %s", domain.LanguageMark(s.language(said)))
	}
	return p.standing + "\n\n" + rule
}

// answered is the language the answer is in, when the model marked it as marked.
func (s *session) answered(said understanding, marked string) string {
	if marked == "" {
		return s.language(said)
	}
	if allowed, ok := s.persona.Languages.Allow(marked); ok {
		return allowed
	}
	return marked // it is what the words are, whatever was asked for
}

// understoodBy remembers the language that the model read in what the user typed.
func (s *session) understoodBy(said understanding, marked string) {
	if allowed, ok := s.persona.Languages.Allow(marked); ok && marked != "" && said.language == "" {
		s.conv.SpeakIn(allowed)
	}
}

// own is what the bot says by itself, in the user's language. Who speaks a language
// that is not on the list, and was never heard in another, is told so in their own
// where the bot has the words.
func (s *session) own(said understanding) domain.Reply {
	language := s.language(said)
	if said.notice == noticeStranger && s.remembered() == "" && speaks(said.stranger) {
		language = said.stranger
	}
	text := sentence(said.notice, language)
	if said.notice == noticeStranger {
		text = strings.ReplaceAll(text, listOfLanguages, namesOf(s.persona.Languages))
	}
	return domain.Reply{Text: text, Language: language}
}
