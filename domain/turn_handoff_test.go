package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// TestStaleHandoffIsForgotten: what joined may have withdrawn the request.
func TestStaleHandoffIsForgotten(t *testing.T) {
	at := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	m := domain.Message{ID: "m1", Number: "106", From: domain.Contact{UserID: "ES.1"}, SentAt: at, Content: domain.Text{Body: "human"}}
	turn, err := domain.NewTurn("t1", "c1", []domain.Message{m}, at)
	require.NoError(t, err)
	require.NoError(t, turn.HandOver(domain.Reply{Text: "I am passing you on."}))
	require.Equal(t, domain.HandoffOwed, turn.Handoff().State)
	m.ID, m.Content = "m2", domain.Text{Body: "no, wait"}
	require.NoError(t, turn.Absorb([]domain.Message{m}))
	require.Zero(t, turn.Handoff())
	require.ErrorIs(t, turn.HandoffEnds(domain.HandoffTold), domain.ErrTurnMove)
}

// TestHandoffWithoutItsSentence: nothing is sent, and the turn stays open until the
// receiver knows.
func TestHandoffWithoutItsSentence(t *testing.T) {
	at := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	m := domain.Message{ID: "m1", Number: "106", From: domain.Contact{UserID: "ES.1"}, SentAt: at, Content: domain.Text{Body: "human"}}
	turn, err := domain.NewTurn("t1", "c1", []domain.Message{m}, at)
	require.NoError(t, err)
	require.False(t, turn.Unsaid())
	require.NoError(t, turn.HandOverUnsaid("es", "budget"))
	require.Equal(t, -1, turn.Next())
	require.False(t, turn.State().Settled())
	require.False(t, turn.Unsent(), "what comes now belongs to the next turn")
	require.ErrorIs(t, turn.HandOverUnsaid("es", "budget"), domain.ErrTurnMove)
	require.Equal(t, "es", turn.Reply().Language)
	turn.HandoffTried(at)
	require.True(t, turn.Unsaid())
	require.NoError(t, turn.HandoffEnds(domain.HandoffTold))
	require.Equal(t, domain.TurnDropped, turn.State())
	require.Equal(t, "budget", turn.Reason())
	require.Equal(t, domain.HandoffTold, turn.Handoff().State)
}
