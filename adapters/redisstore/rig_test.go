package redisstore_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

func open(t testing.TB, opt redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(context.Background(), opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// started is a server with a store on it.
func started(t testing.TB, server redisserver.Options) (*redisserver.Server, *redisstore.Store) {
	t.Helper()
	r := redisserver.Start(t, server)
	return r, open(t, redisstore.Options{URL: r.URL()})
}

func user(n int) domain.UserID { return domain.UserID("ES.9" + strconv.Itoa(1_000_000+n)) }

func text(n int, id string) domain.Message {
	return domain.Message{
		ID: domain.MessageID("wamid." + id), Number: "100", From: domain.Contact{UserID: user(n)},
		SentAt: time.Unix(1_800_000_000, 0).UTC(), Content: domain.Text{Body: "text of " + id},
	}
}

func withPhone(m domain.Message, phone domain.Phone) domain.Message {
	m.From.Phone = phone
	return m
}

func byPhone(phone domain.Phone, id string) domain.Message {
	m := text(0, id)
	m.From = domain.Contact{Phone: phone}
	return m
}

func admit(t testing.TB, s *redisstore.Store, m ...domain.Message) []ports.Admission {
	t.Helper()
	out, err := s.Admit(t.Context(), m)
	require.NoError(t, err)
	return out
}

// leaseAll finishes everything that is due and returns the ids it met, in order.
func leaseAll(t testing.TB, s *redisstore.Store, wait time.Duration) []domain.MessageID {
	t.Helper()
	var out []domain.MessageID
	for {
		w, ok := lease(t, s, wait)
		if !ok {
			return out
		}
		for _, m := range w.Pending {
			out = append(out, m.ID)
		}
		finish(t, s, w)
	}
}

func lease(t testing.TB, s *redisstore.Store, wait time.Duration) (ports.Work, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	w, err := s.Lease(ctx)
	if err != nil {
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return w, false
	}
	return w, true
}

func finish(t testing.TB, s *redisstore.Store, w ports.Work) {
	t.Helper()
	turn, err := domain.NewTurn(domain.TurnID(fmt.Sprintf("turn-%d", w.Lease.Token)), w.Lease.Conversation, w.Pending, time.Now())
	require.NoError(t, err)
	require.NoError(t, turn.Drop("test"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
}

func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
