package bot

import (
	"fmt"
	"time"

	"whatsappnode/adapters/settings"
	"whatsappnode/app"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
)

// PeopleConfig is about whom the bot answers, and when it leaves them to people.
type PeopleConfig struct {
	PauseFor     time.Duration `env:"PAUSE_FOR" envDefault:"2h" validate:"min=1s,max=8784h" doc:"How long the bot keeps silent in a conversation after somebody of the business wrote in it, or after the person asked for a human; docs/takeover.md."`
	OptOutWords  settings.List `env:"OPT_OUT_WORDS" doc:"Further whole messages with which a person asks not to be answered any more, comma-separated, beside STOP, BAJA and those of other languages."`
	OptInWords   settings.List `env:"OPT_IN_WORDS" doc:"Further whole messages with which that person asks to be answered again, beside START, ALTA and those of other languages."`
	Handoff      bool          `env:"HANDOFF" envDefault:"true" doc:"Whether a person who asks for a human is told that one takes over, and the bot keeps silent for PAUSE_FOR; docs/takeover.md."`
	HandoffWords settings.List `env:"HANDOFF_WORDS" doc:"Further whole messages with which a person asks for a human, comma-separated, beside those the bot knows in six languages."`
	Allowed      settings.List `env:"ALLOWED_USERS" doc:"Only these people are answered: phone numbers with country code, or user ids, comma-separated. Empty: everybody."`
	Blocked      settings.List `env:"BLOCKED_USERS" doc:"These people are not answered: phone numbers with country code, or user ids, comma-separated."`
}

// people reads a list of persons. The fault does not quote the entry: it may be
// somebody's number.
func people(list settings.List) (app.People, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := app.People{}
	for i, entry := range list {
		who, err := operate.ParseUser(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		out[string(who.UserID)+string(who.Phone)] = true
	}
	return out, nil
}

// peopleFaults are the wrong lists, by their variables.
func peopleFaults(p PeopleConfig) map[string]error {
	faults := map[string]error{}
	for variable, list := range map[string]settings.List{"ALLOWED_USERS": p.Allowed, "BLOCKED_USERS": p.Blocked} {
		if _, err := people(list); err != nil {
			faults[variable] = err
		}
	}
	return faults
}

// withPeople completes a persona. The lists have been checked.
func withPeople(out app.Persona, p PeopleConfig) app.Persona {
	out.PauseFor = p.PauseFor
	out.Allowed, _ = people(p.Allowed)
	out.Blocked, _ = people(p.Blocked)
	out.Handing = app.Handing{On: p.Handoff, Words: plain(p.HandoffWords)}
	out.StopWords, out.StartWords = plain(p.OptOutWords), plain(p.OptInWords)
	return out
}

func plain(list settings.List) []string {
	var out []string
	for _, w := range list {
		if word := domain.Plain(w); word != "" {
			out = append(out, word)
		}
	}
	return out
}
