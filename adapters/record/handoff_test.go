package record_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
)

// TestHandoffIsStoredWithItsTurn: what is owed must outlive the process.
func TestHandoffIsStoredWithItsTurn(t *testing.T) {
	at := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	turn, err := domain.RestoreTurn(domain.TurnRecord{
		ID: "t1", Conversation: "c1", Number: "106", State: domain.TurnSending, Inputs: []domain.MessageID{"m1"}, StartedAt: at,
		Handoff: domain.Handoff{State: domain.HandoffOwed, Tries: 3, NextTry: at.Add(time.Minute)},
	})
	require.NoError(t, err)
	data, err := record.EncodeTurn(turn)
	require.NoError(t, err)
	again, err := record.DecodeTurn(data)
	require.NoError(t, err)
	got := again.Handoff()
	require.Equal(t, domain.HandoffOwed, got.State)
	require.Equal(t, 3, got.Tries)
	require.True(t, got.NextTry.Equal(at.Add(time.Minute)))
}
