package app

import (
	"context"
	"slices"

	"whatsappnode/domain"
)

const reasonOptedOut = "opted_out"

// stopWords and startWords end and begin again the bot's answers when they are a whole
// message, by the language they are of, in the form of domain.Plain. The first of each
// language is the one the bot names. Everyday words that are answers to a question
// ("cancel", "end", "no") are not among them.
var (
	stopWords = map[string][]string{
		"en": {"stop", "stop all", "stopall", "unsubscribe", "opt out", "optout"},
		"es": {"baja", "dar de baja", "darme de baja", "dame de baja", "no molestar"},
		"pt": {"parar", "sair", "descadastrar", "descadastrar me", "cancelar inscricao"},
		"fr": {"arret", "arreter", "desabonner", "desinscrire", "me desabonner"},
		"de": {"stopp", "abmelden", "abbestellen"},
		"it": {"disiscrivi", "disiscrivimi", "cancellami", "disiscrizione"},
	}
	startWords = map[string][]string{
		"en": {"start", "unstop", "subscribe", "opt in", "optin"},
		"es": {"alta", "dar de alta", "darme de alta", "reanudar", "iniciar"},
		"pt": {"iniciar", "comecar", "voltar"},
		"fr": {"reprendre", "demarrer", "commencer"},
		"de": {"starten", "anmelden", "weiter"},
		"it": {"riprendi", "iniziare", "avvia"},
	}
)

// command is a whole message that stops or starts the bot.
type command int

const (
	noCommand command = iota
	stopCommand
	startCommand
)

// commandOf reads a message as a command, and tells the language the word is of: the
// one the conversation is in when several have the word.
func (s *session) commandOf(m domain.Message) (command, string) {
	text := ""
	switch c := m.Content.(type) {
	case domain.Text:
		text = c.Body
	case domain.ButtonReply:
		text = c.Title
	}
	if len(text) > maxCommand {
		return noCommand, ""
	}
	word := domain.Plain(text)
	if word == "" {
		return noCommand, ""
	}
	for _, each := range []struct {
		words map[string][]string
		own   []string
		is    command
	}{{stopWords, s.persona.StopWords, stopCommand}, {startWords, s.persona.StartWords, startCommand}} {
		if language, ok := languageOf(word, each.words, base(s.spoken())); ok {
			return each.is, language
		}
		if slices.Contains(each.own, word) {
			return each.is, s.spoken()
		}
	}
	return noCommand, ""
}

// maxCommand is the longest message, in bytes, that may be a command.
const maxCommand = 80

// languageOf finds the language a word is of, the preferred one first.
func languageOf(word string, words map[string][]string, preferred string) (string, bool) {
	if slices.Contains(words[preferred], word) {
		return preferred, true
	}
	for _, language := range []string{"en", "es", "pt", "fr", "de", "it"} {
		if slices.Contains(words[language], word) {
			return language, true
		}
	}
	return "", false
}

// spoken is the language of the conversation, as far as it is known without asking.
func (s *session) spoken() string { return s.language(understanding{}) }

// lastCommand is the newest command of the turn.
func (s *session) lastCommand() (command, string) { return s.lastOf(s.inputs) }

func (s *session) lastOf(messages []domain.Message) (command, string) {
	for _, m := range slices.Backward(messages) {
		if m.Group != "" {
			continue
		}
		if is, language := s.commandOf(m); is != noCommand {
			return is, language
		}
	}
	return noCommand, ""
}

// optedOut is the gate of those who asked not to be answered. The newest command of the
// turn counts. A person who says stop is told so once, and gets no other word until the
// person says start.
func optedOut(ctx context.Context, s *session) (verdict, error) {
	is, language := s.lastCommand()
	switch {
	case is == stopCommand:
		// Who had opted out before is told nothing, but a turn that was taken up again may
		// not have told it yet.
		if s.work.Controls.OptedOut && !s.confirms && s.turn.Attempt() == 1 {
			return verdict{drop: reasonOptedOut}, nil
		}
		if s.unstored && !s.work.Controls.OptedOut {
			// Before the decision: only a turn that is known to have been begun tells of it.
			if err := s.checkpoint(ctx); err != nil {
				return verdict{}, err
			}
		}
		if err := s.obey(ctx, is); err != nil {
			return verdict{}, err
		}
		s.confirms = true
		return s.confirm(noticeOptedOut, language), nil
	case is == startCommand && s.work.Controls.OptedOut:
		if err := s.obey(ctx, is); err != nil {
			return verdict{}, err
		}
		return s.confirm(noticeOptedIn, language), nil
	case s.work.Controls.OptedOut:
		return verdict{drop: reasonOptedOut}, nil
	}
	return verdict{}, nil
}

func (s *session) confirm(n notice, language string) verdict {
	return verdict{reply: &domain.Reply{Text: sentence(n, language), Language: language}}
}

// decide stores a decision about the conversation; the lease goes on.
func (s *session) decide(ctx context.Context, kind domain.ControlKind) error {
	return s.change(ctx, domain.ControlChange{Kind: kind})
}

func (s *session) change(ctx context.Context, ch domain.ControlChange) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	if err := s.deps.Controls.ControlHeld(ctx, s.work.Lease, ch); err != nil {
		return storeTrouble("store what was decided", err)
	}
	return nil
}

// heed stores what a turn commands that ends without coming to its gate: people answered
// it, it is too old, or its writer is blocked. Nothing is said.
func (s *session) heed(ctx context.Context) error {
	if s.persona == nil {
		return nil
	}
	is, _ := s.lastCommand()
	return s.obey(ctx, is)
}

// heedStop stores a stop that came while people have the conversation. It reports true
// when the person is still to be told so: not now, when the bot would talk over them, but
// once the pause has ended and nobody has answered. A start can wait until then.
func (s *session) heedStop(ctx context.Context) (bool, error) {
	if s.persona == nil || s.work.Controls.OptedOut {
		return false, nil
	}
	if is, _ := s.lastCommand(); is != stopCommand {
		return false, nil
	}
	return true, s.obey(ctx, stopCommand)
}

// leftAlone reports whether the person wants no more of a turn that was begun: what is
// left of it waited, or failed late, and the person said stop meanwhile. Nothing is left
// out of the turn that confirms it.
func (s *session) leftAlone() bool {
	if s.persona == nil {
		return false
	}
	if is, _ := s.lastOf(domain.Standing(s.waiting)); is != noCommand {
		return is == stopCommand
	}
	is, _ := s.lastCommand()
	return s.work.Controls.OptedOut && is != stopCommand
}

// obey stores a command, unless it is in force.
func (s *session) obey(ctx context.Context, is command) error {
	kind := domain.ControlOptOut
	switch {
	case is == stopCommand && !s.work.Controls.OptedOut:
	case is == startCommand && s.work.Controls.OptedOut:
		kind = domain.ControlOptIn
	default:
		return nil
	}
	if err := s.decide(ctx, kind); err != nil {
		return err
	}
	s.work.Controls.OptedOut = is == stopCommand
	return nil
}
