package app_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	support domain.NumberID = "201"
	sales   domain.NumberID = "202"
)

// TestEachNumberHasItsPersona: one person writes to two numbers of one bot and
// meets two characters.
func TestEachNumberHasItsPersona(t *testing.T) {
	warm, quiet := 1.5, &voice{}
	bubble(t, func(r *rig) {
		first, second := r.opt.Persona, r.opt.Persona
		first.SystemPrompt, first.ReplyMode, first.Languages = "You help.", app.ReplyVoice, domain.Languages{"es"}
		first.TTS, first.Temperature = quiet, &warm
		second.SystemPrompt, second.Languages, second.MaxTokens = "You sell.", domain.Languages{"de"}, 99
		second.Burst.Unfinished, second.Memory = 10*time.Second, domain.Memory{}
		r.more = map[domain.NumberID]app.Persona{support: first, sales: second}
	}, func(r *rig) {
		r.receives(at(support, message("m1", "ES.1", domain.Text{Body: "hi"})), at(sales, message("m2", "ES.1", domain.Text{Body: "ho"})))
		r.settle()
		require.Equal(t, []string{"spoken: You said: hi"}, r.answers(), "the other number waits for more")
		r.pass(11 * time.Second)
		require.Equal(t, []string{"spoken: You said: hi", "You said: ho"}, r.answers())
		calls := r.phone.calls()
		require.Equal(t, []domain.NumberID{support, sales}, []domain.NumberID{calls[0].out.Number, calls[1].out.Number})
		require.Equal(t, 1, quiet.spoke)
		require.Zero(t, r.voice.spoke)

		asked := r.brain.requests()
		require.Regexp(t, `^You help\.\n`, asked[0].System)
		require.Regexp(t, `^You sell\.\n`, asked[1].System)
		require.Equal(t, []string{"es", "de"}, []string{asked[0].Language, asked[1].Language})
		require.Equal(t, &warm, asked[0].Temperature)
		require.Zero(t, asked[0].MaxTokens)
		require.Nil(t, asked[1].Temperature)
		require.Equal(t, 99, asked[1].MaxTokens)

		r.receives(at(support, message("m3", "ES.1", domain.Text{Body: "hi again"})), at(sales, message("m4", "ES.1", domain.Text{Body: "ho again"})))
		r.pass(11 * time.Second)
		asked = r.brain.requests()
		require.Len(t, asked[2].Messages, 3)
		require.Len(t, asked[3].Messages, 1, "this one remembers nothing")
	})
}

func TestEachNumberApologisesInItsWordsAndTime(t *testing.T) {
	bubble(t, func(r *rig) {
		r.brain.delay = time.Hour
		first, second := r.opt.Persona, r.opt.Persona
		first.Fallback, first.TurnTimeout = "One moment.", 10*time.Second
		second.Fallback, second.TurnTimeout = "Just now I can't.", 20*time.Second
		r.more = map[domain.NumberID]app.Persona{support: first, sales: second}
	}, func(r *rig) {
		r.receives(at(support, message("m1", "ES.1", domain.Text{Body: "hi"})), at(sales, message("m2", "ES.1", domain.Text{Body: "ho"})))
		r.pass(11 * time.Second)
		require.Equal(t, []string{"One moment."}, r.answers())
		r.pass(10 * time.Second)
		require.Equal(t, []string{"One moment.", "Just now I can't."}, r.answers())
	})
}

func TestOnePersonaAnswersAtEveryNumber(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.receives(at(support, message("m1", "ES.1", domain.Text{Body: "hi"})))
		r.settle()
		require.Equal(t, support, r.phone.calls()[0].out.Number)
	})
}

// TestNumberThatIsNotOurs: a message that waited while its number was taken out of
// the list reaches a terminal state with a reason, and nobody is asked.
func TestNumberThatIsNotOurs(t *testing.T) {
	bubble(t, func(r *rig) { r.more = map[domain.NumberID]app.Persona{support: r.opt.Persona} }, func(r *rig) {
		r.receives(at(sales, message("m1", "ES.1", domain.Text{Body: "hi"})))
		r.settle()
		require.Empty(t, r.phone.calls())
		require.Empty(t, r.phone.receipts())
		require.Empty(t, r.brain.requests())
		require.Equal(t, domain.TurnDropped, r.turns()[0].State())
		require.Equal(t, "unknown_number", r.turns()[0].Reason())
		require.Equal(t, 1, r.events.count(ports.StageDropped, "unknown_number"))
	})
}

// TestAnswerOfANumberThatWasTakenOut: it is on its way and goes on, and the
// conversation keeps what it remembers.
func TestAnswerOfANumberThatWasTakenOut(t *testing.T) {
	bubble(t, func(r *rig) {
		r.more = map[domain.NumberID]app.Persona{support: r.opt.Persona}
		r.phone.send = first(false, sendError(ports.KindTransient, ""))
	}, func(r *rig) {
		r.receives(at(support, message("m1", "ES.1", domain.Text{Body: "hi"})))
		r.settle()
		require.Empty(t, r.answers())
		r.stop()
		r.more = map[domain.NumberID]app.Persona{sales: r.opt.Persona}
		r.start()
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

func TestPersonasAreChecked(t *testing.T) {
	good := app.Persona{LLM: &brain{}, ReplyMode: app.ReplyText, Fallback: "Sorry.", TurnTimeout: time.Minute, MaxSpokenChars: 100, PauseFor: time.Hour}
	_, err := app.OnePersona(good)
	require.NoError(t, err)
	_, err = app.NewPersonas(nil)
	require.Error(t, err)

	tooWarm := 3.0
	for fault, spoil := range map[string]func(*app.Persona){
		"language model": func(p *app.Persona) { p.LLM = nil },
		"pause":          func(p *app.Persona) { p.PauseFor = -1 },
		"reply mode":     func(p *app.Persona) { p.ReplyMode = "shout" },
		"fallback":       func(p *app.Persona) { p.Fallback = "" },
		"turn timeout":   func(p *app.Persona) { p.TurnTimeout = 0 },
		"spoken limit":   func(p *app.Persona) { p.MaxSpokenChars = 0 },
		"temperature":    func(p *app.Persona) { p.Temperature = &tooWarm },
		"confidence":     func(p *app.Persona) { p.MinConfidence = 1.1 },
		"language tag":   func(p *app.Persona) { p.Languages = domain.Languages{"english"} },
	} {
		bad := good
		spoil(&bad)
		_, err := app.OnePersona(bad)
		require.ErrorContains(t, err, fault)
		_, err = app.NewPersonas(map[domain.NumberID]app.Persona{support: good, sales: bad})
		require.ErrorContains(t, err, fault)
		require.ErrorContains(t, err, string(sales))
	}
}
