package record_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
)

// BenchmarkConversation reads and writes a conversation of twenty remarks.
func BenchmarkConversation(b *testing.B) {
	r := domain.ConversationRecord{
		ID: "conversation", Number: "106", Contact: domain.Contact{UserID: "user", Name: "Ana"}, Language: "en",
		LastInbound: time.Date(2026, 11, 23, 7, 0, 0, 1, time.UTC),
	}
	for i := range 20 {
		role := domain.RoleUser
		if i%2 == 1 {
			role = domain.RoleAssistant
		}
		r.History = append(r.History, domain.Remark{
			Role: role, Text: "We are open today until eight, and the kitchen takes orders to seven.", At: r.LastInbound, Turn: "turn",
		})
	}
	conv, err := domain.RestoreConversation(r)
	require.NoError(b, err)
	data, err := record.EncodeConversation(conv)
	require.NoError(b, err)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := record.DecodeConversation(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := record.EncodeConversation(conv); err != nil {
				b.Fatal(err)
			}
		}
	})
}
