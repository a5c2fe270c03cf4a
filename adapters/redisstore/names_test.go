package redisstore_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

func find(t *testing.T, s *redisstore.Store, who domain.Contact) domain.ConversationID {
	t.Helper()
	found, err := s.Find(t.Context(), who)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// A message that is tied to a conversation goes there, even if its name was given to
// another one before it was stored: the process that tied it may still be at it.
func TestTiedMessageGoesWhereItIsTied(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	for n := range 20 { // in some of them both conversations share a partition
		m := text(100+n, "tied"+strconv.Itoa(n))
		require.NoError(t, s.AdmitHalf(t.Context(), m, redisstore.AfterPin))
		tied := find(t, s, m.From)
		take := text(200+n, "take"+strconv.Itoa(n))
		take.Content = domain.System{Event: "user_changed_user_id", NewUser: user(100 + n)}
		require.NotEqual(t, tied, admit(t, s, take)[0].Conversation)
		assert.Equal(t, ports.Admission{Message: m.ID, Conversation: tied, New: true}, admit(t, s, m)[0])
	}
}

// A message on its way into a conversation that is erased meanwhile starts anew.
func TestMessageUnderWayDoesNotBringErasedConversationBack(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	m := withPhone(text(1, "1"), "34600000001")
	require.NoError(t, s.AdmitHalf(t.Context(), m, redisstore.AfterLink))
	erased := find(t, s, m.From)
	_, err := s.Erase(t.Context(), m.From)
	require.NoError(t, err)
	got := admit(t, s, m)[0]
	assert.True(t, got.New)
	assert.NotEqual(t, erased, got.Conversation)
	assert.Equal(t, got.Conversation, find(t, s, m.From))
	assert.Len(t, leaseAll(t, s, 300*time.Millisecond), 1)
}

// A number that went to a stranger and came back leads to its first person again.
func TestNumberThatCameBack(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	first := admit(t, s, withPhone(text(1, "1"), "34600000001"))[0].Conversation
	require.Equal(t, first, admit(t, s, withPhone(text(1, "2"), "34600000001"))[0].Conversation, "its link is remembered")
	other := admit(t, s, withPhone(text(2, "3"), "34600000001"))[0].Conversation
	require.NotEqual(t, first, other)
	require.Equal(t, other, admit(t, s, byPhone("34600000001", "4"))[0].Conversation)
	require.Equal(t, first, admit(t, s, withPhone(text(1, "5"), "34600000001"))[0].Conversation)
	assert.Equal(t, first, admit(t, s, byPhone("34600000001", "6"))[0].Conversation)
}

// A message that another process admits wakes a waiting worker at once, not at its
// next look: twenty in a row would take twenty looks of two seconds.
func TestOtherProcessWakesWorker(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	in, out := open(t, redisstore.Options{URL: server.URL()}), open(t, redisstore.Options{URL: server.URL()})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for n := range 20 {
		got := make(chan error, 1)
		go func() {
			w, err := out.Lease(ctx)
			if err == nil {
				err = out.Extend(ctx, w.Lease)
			}
			got <- err
		}()
		admit(t, in, text(n, strconv.Itoa(n)))
		require.NoError(t, <-got)
	}
}
