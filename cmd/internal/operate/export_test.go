package operate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
)

func exportStore(t *testing.T) *fake.Store {
	t.Helper()
	s := fake.NewStore(fake.StoreOptions{})
	from := domain.Contact{UserID: "ES.123", Phone: "34600111222", Name: "Ana <b>\u202e"}
	say := func(id, words string) {
		_, err := s.Admit(t.Context(), []domain.Message{{ID: domain.MessageID(id), Number: "100", From: from, SentAt: time.Unix(1_800_000_000, 0), Content: domain.Text{Body: words}}})
		require.NoError(t, err)
	}
	finish := func(id string, die bool) {
		w, err := s.Lease(t.Context())
		require.NoError(t, err)
		turn, err := domain.NewTurn(domain.TurnID(id), w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
		require.NoError(t, err)
		if die {
			require.NoError(t, turn.Die("test"))
		} else {
			require.NoError(t, turn.Answer(domain.Reply{Text: "the answer"}))
			require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "the answer"}}))
			require.NoError(t, turn.Intend(0, time.Unix(1_800_000_000, 0)))
			require.NoError(t, turn.Accepted(0, "wamid.answer"))
			w.Conversation.Remember(domain.Memory{Messages: 9, Tokens: 999}, domain.Remark{Role: domain.RoleUser, Text: "first words", Turn: "t1"})
		}
		require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	}
	say("wamid.1", "first words")
	finish("t1", false)
	_, err := s.Observe(t.Context(), []domain.Status{{Message: "wamid.answer", State: domain.DeliveryRead, Recipient: from}})
	require.NoError(t, err)
	say("wamid.2", "words nobody answered")
	finish("t2", true)
	say("wamid.3", "words that wait")
	say("wamid.4", "more that wait")
	return s
}

func TestExportWritesEverything(t *testing.T) {
	s := exportStore(t)
	found, err := s.Find(t.Context(), domain.Contact{UserID: "ES.123"})
	require.NoError(t, err)
	for _, change := range []domain.ControlChange{{Kind: domain.ControlOptOut}, {Kind: domain.ControlPause, For: time.Hour, By: domain.PausedByUser}} {
		require.NoError(t, s.Control(t.Context(), found[0], change))
	}
	for _, who := range []string{"+34 600 111 222", "ES.123"} {
		var out bytes.Buffer
		require.NoError(t, operate.Export(t.Context(), s, &out, who))
		var doc struct {
			Format        string
			Conversations []struct {
				Controls struct {
					OptedOut bool   `json:"opted_out"`
					PausedBy string `json:"paused_by"`
				}
				Remembered struct{ History []struct{ Text string } }
				Waiting    []struct{ Content struct{ Body string } }
				Turns      []struct {
					Reply    string
					Statuses []struct{ State string }
				}
				DeadLetters []struct {
					Messages []struct{ Content struct{ Body string } }
				} `json:"dead_letters"`
			}
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &doc), out.String())
		assert.Equal(t, "whatsapp-node export 1", doc.Format)
		require.Len(t, doc.Conversations, 1)
		c := doc.Conversations[0]
		assert.True(t, c.Controls.OptedOut, "what was decided about the person is about the person")
		assert.Equal(t, "user", c.Controls.PausedBy)
		assert.Equal(t, "first words", c.Remembered.History[0].Text)
		require.Len(t, c.Waiting, 2)
		assert.Equal(t, "words that wait", c.Waiting[0].Content.Body)
		require.Len(t, c.Turns, 2)
		assert.Equal(t, "the answer", c.Turns[0].Reply)
		assert.Equal(t, "read", c.Turns[0].Statuses[0].State)
		assert.Equal(t, "words nobody answered", c.DeadLetters[0].Messages[0].Content.Body)
		assert.Contains(t, out.String(), "34600111222", "in full: it is theirs")
	}
}

func TestExportOfNobody(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, operate.Export(t.Context(), exportStore(t), &out, "ES.999"))
	assert.True(t, json.Valid(out.Bytes()))
	assert.Contains(t, out.String(), `"conversations":[]`)
	require.Error(t, operate.Export(t.Context(), exportStore(t), &out, "34600111222x"))
}

// full takes so many bytes and then no more.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("no room left")
	}
	return len(p), nil
}

func TestExportTellsWhenItCannotWrite(t *testing.T) {
	s := exportStore(t)
	for _, room := range []int{0, 50, 200, 900} {
		err := operate.Export(t.Context(), s, &full{room: room}, "ES.123")
		require.ErrorContains(t, err, "no room left")
		assert.False(t, strings.Contains(err.Error(), "34600111222"))
	}
}
