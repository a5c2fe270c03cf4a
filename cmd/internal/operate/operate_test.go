package operate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// What must not be shown unless it is asked for.
const (
	user  = "ES.13491208655302740001"
	phone = "34600111222"
	name  = "Ana Ruiz"
	words = "my code is 4711"
	reply = "your code is safe"
)

// wamid holds the phone number in base64, as Meta's do.
const wamid = "wamid.HBgLMzQ2MDAxMTEyMjIVAgASGBQzQUFB"

var secrets = []string{user, phone, name, words, reply, "MzQ2MDAxMTEyMjI"}

// stored is a store with one answered turn and, after it, one dead letter.
func stored(t *testing.T) (*fake.Store, domain.ConversationID) {
	s := fake.NewStore(fake.StoreOptions{NewID: func() domain.ConversationID { return "CONV1" }})
	message := func(id string) domain.Message {
		return domain.Message{
			ID: domain.MessageID(wamid + id), Number: "100200300", From: domain.Contact{UserID: user, Phone: phone, Name: name},
			SentAt: time.Now(), Content: domain.Text{Body: words},
		}
	}
	take := func(id domain.TurnID) (ports.Work, domain.Turn) {
		_, err := s.Admit(t.Context(), []domain.Message{message(string(id))})
		require.NoError(t, err)
		w, err := s.Lease(t.Context())
		require.NoError(t, err)
		turn, err := domain.NewTurn(id, w.Lease.Conversation, w.Pending, time.Now())
		require.NoError(t, err)
		require.NoError(t, turn.Hear(w.Pending[0].ID, domain.Transcript{Text: words}))
		require.NoError(t, turn.Answer(domain.Reply{Text: reply}))
		require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartVoice, Text: reply, Media: "m1"}}))
		require.NoError(t, turn.Intend(0, time.Now()))
		return w, turn
	}
	w, turn := take("answered")
	require.NoError(t, turn.Accepted(0, wamid+"S"))
	require.NoError(t, turn.Refused(0, domain.Failure{Code: 131053, Class: domain.FailPermanent}))
	w.Conversation.Hear(w.Pending[0])
	w.Conversation.SpeakIn("es-ES")
	w.Conversation.Remember(domain.Memory{Messages: 10, Tokens: 1000}, domain.Remark{Role: domain.RoleUser, Text: words, At: time.Now(), Turn: "answered"})
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	time.Sleep(time.Minute)
	w, turn = take("dead")
	require.NoError(t, turn.Die("poison"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	return s, "CONV1"
}

// command runs one command on the stored state, in a bubble whose clock begins at
// midnight of 1 January 2000.
func command(t *testing.T, run func(t *testing.T, s *fake.Store, out io.Writer) error) (string, error) {
	t.Helper()
	var out bytes.Buffer
	var err error
	synctest.Test(t, func(t *testing.T) {
		s, _ := stored(t)
		err = run(t, s, &out)
	})
	return out.String(), err
}

// commands are all that show something, each with what it must show.
var commands = map[string]struct {
	run  func(t *testing.T, s *fake.Store, out io.Writer, opt operate.Options) error
	want []string
	text []string // of what is shown only with Words
}{
	"list": {
		func(t *testing.T, s *fake.Store, out io.Writer, opt operate.Options) error {
			return operate.DeadLettersList(t.Context(), s, out, opt)
		},
		[]string{"dead", "CONV1", "2000-01-01T00:01:00Z", "poison", "***01", "***22"},
		[]string{user, phone, name},
	},
	"show": {
		func(t *testing.T, s *fake.Store, out io.Writer, opt operate.Options) error {
			return operate.DeadLettersShow(t.Context(), s, out, "dead", opt)
		},
		[]string{"dead", "CONV1", "poison", "text", "voice", "intended", "100200300", "***"},
		[]string{user, phone, name, words, reply, wamid + "dead"},
	},
	"inspect": {
		func(t *testing.T, s *fake.Store, out io.Writer, opt operate.Options) error {
			return operate.Inspect(t.Context(), s, out, "CONV1", opt)
		},
		[]string{"CONV1", "es-ES", "answered", "failed", "permanent", "131053", "dead", "poison", "2000-01-01T00:00:00Z", "***22"},
		[]string{user, phone, name, words, reply, wamid + "S"},
	},
	"erase": {
		func(t *testing.T, s *fake.Store, out io.Writer, opt operate.Options) error {
			opt.Yes = true
			return operate.Erase(t.Context(), s, out, "+34 600-111-222", opt)
		},
		[]string{"***22"},
		[]string{phone},
	},
}

func TestPersonalDataIsMaskedUnlessAskedFor(t *testing.T) {
	for name, c := range commands {
		for form, asJSON := range map[string]bool{"table": false, "json": true} {
			t.Run(name+" "+form, func(t *testing.T) {
				got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
					return c.run(t, s, out, operate.Options{JSON: asJSON})
				})
				require.NoError(t, err)
				for _, want := range c.want {
					assert.Contains(t, got, want)
				}
				for _, secret := range secrets {
					assert.NotContains(t, got, secret)
				}
				full, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
					return c.run(t, s, out, operate.Options{JSON: asJSON, Words: true})
				})
				require.NoError(t, err)
				for _, want := range c.text {
					assert.Contains(t, full, want)
				}
				if asJSON {
					assert.True(t, json.Valid([]byte(got)), got)
					assert.True(t, json.Valid([]byte(full)), full)
				}
			})
		}
	}
}

func TestDeadLettersListIsATable(t *testing.T) {
	got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
		return operate.DeadLettersList(t.Context(), s, out, operate.Options{})
	})
	require.NoError(t, err)
	assert.Equal(t, ""+
		"TURN  CONVERSATION  DIED                  REASON  ATTEMPTS  MESSAGES  TO\n"+
		"dead  CONV1         2000-01-01T00:01:00Z  poison  1         1         ***01 ***22\n", got)
}

func TestEmptyListsAreSaid(t *testing.T) {
	s := fake.NewStore(fake.StoreOptions{})
	var out bytes.Buffer
	require.NoError(t, operate.DeadLettersList(t.Context(), s, &out, operate.Options{}))
	assert.Equal(t, "There are no dead letters.\n", out.String())
	out.Reset()
	require.NoError(t, operate.DeadLettersList(t.Context(), s, &out, operate.Options{JSON: true}))
	assert.Equal(t, "[]\n", out.String())
}

func TestListIsBounded(t *testing.T) {
	limits := &limitSpy{}
	require.NoError(t, operate.DeadLettersList(t.Context(), limits, io.Discard, operate.Options{}))
	require.NoError(t, operate.DeadLettersList(t.Context(), limits, io.Discard, operate.Options{Limit: 3}))
	assert.Equal(t, []int{operate.DefaultLimit, 3}, limits.asked)
}

type limitSpy struct {
	ports.DeadLetterPort
	asked []int
}

func (s *limitSpy) DeadLetters(_ context.Context, limit int) ([]ports.DeadLetter, error) {
	s.asked = append(s.asked, limit)
	return nil, nil
}

func TestReplay(t *testing.T) {
	for asJSON, want := range map[bool]string{false: "The messages of dead wait to be answered again.", true: `"outcome": "replayed"`} {
		got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
			require.NoError(t, operate.DeadLettersReplay(t.Context(), s, out, "dead", operate.Options{JSON: asJSON}))
			w, err := s.Lease(t.Context())
			require.NoError(t, err)
			assert.Len(t, w.Pending, 1)
			return operate.DeadLettersReplay(t.Context(), s, out, "dead", operate.Options{JSON: asJSON})
		})
		assert.Contains(t, got, want)
		assert.Equal(t, 1, strings.Count(got, "dead"))
		require.Error(t, err, "twice")
		assert.Equal(t, ports.KindNotFound, ports.KindOf(err))
		assert.Contains(t, err.Error(), "replay dead")
	}
}

func TestDropNeedsConfirmation(t *testing.T) {
	letters := func(t *testing.T, s *fake.Store) int {
		all, err := s.DeadLetters(t.Context(), 10)
		require.NoError(t, err)
		return len(all)
	}
	got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
		require.ErrorIs(t, operate.DeadLettersDrop(t.Context(), s, out, "dead", operate.Options{}), operate.ErrNotConfirmed)
		assert.Equal(t, 1, letters(t, s))
		require.NoError(t, operate.DeadLettersDrop(t.Context(), s, out, "dead", operate.Options{Yes: true}))
		assert.Zero(t, letters(t, s))
		return operate.DeadLettersDrop(t.Context(), s, out, "dead", operate.Options{Yes: true})
	})
	assert.Equal(t, "The dead letter dead is gone.\n", got)
	assert.Equal(t, ports.KindNotFound, ports.KindOf(err))
}

func TestEraseNeedsConfirmation(t *testing.T) {
	for asJSON, want := range map[bool]string{false: "1 conversation of ***22 would be removed", true: `"erased": false`} {
		got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
			err := operate.Erase(t.Context(), s, out, phone, operate.Options{JSON: asJSON})
			assert.Contains(t, s.Dump(), words)
			return err
		})
		require.ErrorIs(t, err, operate.ErrNotConfirmed)
		assert.Contains(t, got, want)
		assert.Contains(t, got, "CONV1")
	}
}

func TestErasePrintsWhatWasRemoved(t *testing.T) {
	for _, who := range []string{user, "+" + phone} {
		got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
			require.NoError(t, operate.Erase(t.Context(), s, out, who, operate.Options{Yes: true}))
			assert.NotContains(t, s.Dump(), words)
			return operate.Erase(t.Context(), s, out, who, operate.Options{Yes: true})
		})
		require.NoError(t, err, "again is no error")
		first, again, _ := strings.Cut(got, "\n")
		assert.Contains(t, first, "1 conversation, 1 message, 2 turns, 1 dead letter, 2 message ids, 2 names.")
		assert.Contains(t, again, "Nothing was stored about")
	}
	got, err := command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
		return operate.Erase(t.Context(), s, out, user, operate.Options{Yes: true, JSON: true})
	})
	require.NoError(t, err)
	var answer struct {
		Erased  bool           `json:"erased"`
		Found   []string       `json:"found"`
		Removed map[string]int `json:"removed"`
	}
	require.NoError(t, json.Unmarshal([]byte(got), &answer))
	assert.True(t, answer.Erased)
	assert.Equal(t, []string{"CONV1"}, answer.Found)
	assert.Equal(t, map[string]int{"conversations": 1, "messages": 1, "turns": 2, "dead_letters": 1, "message_ids": 2, "names": 2}, answer.Removed)
}

func TestParseUser(t *testing.T) {
	for in, want := range map[string]domain.Contact{
		phone:                {Phone: phone},
		"+34 600 111 222":    {Phone: phone},
		" (34) 600-111-222 ": {Phone: phone},
		user:                 {UserID: user},
	} {
		got, err := operate.ParseUser(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "12345", "1234567890123456", "Ana", "34600x11222", "34+600111222", "++34600111222", "ES.", "es.123", "ES.12 3", "ES.1/2", "３４６００１１１２２２"} {
		_, err := operate.ParseUser(in)
		require.Error(t, err, in)
		if in != "" {
			assert.NotContains(t, err.Error(), in, "it may be somebody's number")
		}
	}
}

func TestUnknownIsNotFound(t *testing.T) {
	s := fake.NewStore(fake.StoreOptions{})
	for name, err := range map[string]error{
		"show":    operate.DeadLettersShow(t.Context(), s, io.Discard, "nobody", operate.Options{}),
		"replay":  operate.DeadLettersReplay(t.Context(), s, io.Discard, "nobody", operate.Options{}),
		"drop":    operate.DeadLettersDrop(t.Context(), s, io.Discard, "nobody", operate.Options{Yes: true}),
		"inspect": operate.Inspect(t.Context(), s, io.Discard, "nobody", operate.Options{}),
	} {
		require.Error(t, err, name)
		assert.Equal(t, ports.KindNotFound, ports.KindOf(err), name)
		assert.Contains(t, err.Error(), "nobody", name)
	}
}

func TestInspectBeforeTheFirstFinish(t *testing.T) {
	s := fake.NewStore(fake.StoreOptions{NewID: func() domain.ConversationID { return "CONV2" }})
	_, err := s.Admit(t.Context(), []domain.Message{{ID: "m", Number: "1", From: domain.Contact{UserID: user}, Content: domain.Text{Body: words}}})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("open", "CONV2", w.Pending, time.Now())
	require.NoError(t, err)
	require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
	var out bytes.Buffer
	require.NoError(t, operate.Inspect(t.Context(), s, &out, "CONV2", operate.Options{}))
	assert.Contains(t, out.String(), "no turn is finished")
	assert.Contains(t, out.String(), "Turn open: received")
}

// A message must not be able to clear the operator's screen or write elsewhere.
func TestTextCannotSteerTheTerminal(t *testing.T) {
	s := fake.NewStore(fake.StoreOptions{})
	evil := "a\x1b[2J\x1b]0;title\x07b\u202ec\r\nd\u009bm"
	_, err := s.Admit(t.Context(), []domain.Message{{ID: "m", Number: "1", From: domain.Contact{UserID: user, Name: evil}, Content: domain.Text{Body: evil}}})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t", w.Lease.Conversation, w.Pending, time.Now())
	require.NoError(t, err)
	require.NoError(t, turn.Hear("m", domain.Transcript{Text: evil}))
	require.NoError(t, turn.Die("poison"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	var out bytes.Buffer
	opt := operate.Options{Words: true}
	require.NoError(t, operate.DeadLettersList(t.Context(), s, &out, opt))
	require.NoError(t, operate.DeadLettersShow(t.Context(), s, &out, "t", opt))
	require.NoError(t, operate.Inspect(t.Context(), s, &out, w.Lease.Conversation, opt))
	assert.NotContains(t, out.String(), "\x1b")
	assert.NotContains(t, out.String(), "\x07")
	assert.NotContains(t, out.String(), "\u202e")
	assert.NotContains(t, out.String(), "\u009b")
	assert.NotContains(t, out.String(), "\r")
}

// failingWriter is a pipe that was closed.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

func TestFailuresAreReported(t *testing.T) {
	for name, c := range commands {
		for _, asJSON := range []bool{false, true} {
			_, err := command(t, func(t *testing.T, s *fake.Store, _ io.Writer) error {
				return c.run(t, s, failingWriter{}, operate.Options{JSON: asJSON})
			})
			require.ErrorContains(t, err, "closed pipe", name)
			_, err = command(t, func(t *testing.T, s *fake.Store, out io.Writer) error {
				s.Fail(errors.New("no room left"))
				return c.run(t, s, out, operate.Options{JSON: asJSON})
			})
			assert.Equal(t, ports.KindTransient, ports.KindOf(err), name)
		}
	}
}
