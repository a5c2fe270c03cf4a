package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

func TestManyClientsAdmitEachMessageOnce(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	const stores, messages = 4, 60
	var mu sync.Mutex
	fresh, convs := map[domain.MessageID]int{}, map[string]map[domain.ConversationID]bool{}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range stores {
		s := open(t, redisstore.Options{URL: server.URL()})
		for range 3 {
			all.Go(func() {
				<-start
				for n := range messages {
					phone := domain.Phone(strconv.Itoa(34600000000 + n%7))
					// One person comes with the user id, with both names, with the phone alone.
					m := withPhone(text(n%7, strconv.Itoa(n)), phone)
					if (n+i)%3 == 0 && n > 20 {
						m = byPhone(phone, strconv.Itoa(n))
					}
					out, err := s.Admit(t.Context(), []domain.Message{m})
					if !assert.NoError(t, err) {
						return
					}
					mu.Lock()
					if out[0].New {
						fresh[m.ID]++
					}
					person := strconv.Itoa(n % 7)
					if convs[person] == nil {
						convs[person] = map[domain.ConversationID]bool{}
					}
					convs[person][out[0].Conversation] = true
					mu.Unlock()
				}
			})
		}
	}
	close(start)
	all.Wait()
	for n := range 21 { // those that always came with the same sender
		assert.Equal(t, 1, fresh[domain.MessageID("wamid."+strconv.Itoa(n))], "message %d", n)
	}
	for person, of := range convs {
		assert.Len(t, of, 1, "person %s", person)
	}
}

// Two processes share one Redis: each conversation is in one hand, both get work, and
// a message that one admits wakes the other.
func TestTwoStoresShareTheWork(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	const people, each = 20, 10
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	holder, answered, worked := map[domain.ConversationID]bool{}, map[domain.ConversationID][]domain.MessageID{}, map[int]int{}
	left := people * each
	var all sync.WaitGroup
	stores := []*redisstore.Store{open(t, redisstore.Options{URL: server.URL()}), open(t, redisstore.Options{URL: server.URL()})}
	for i, s := range stores {
		for range 6 {
			all.Go(func() {
				for {
					w, err := s.Lease(ctx)
					if err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Errorf("lease: %v", err)
						}
						return
					}
					mu.Lock()
					if holder[w.Lease.Conversation] {
						t.Errorf("two workers hold %s", w.Lease.Conversation)
					}
					holder[w.Lease.Conversation] = true
					mu.Unlock()
					turn, err := domain.NewTurn(domain.TurnID(fmt.Sprint(w.Lease.Token)), w.Lease.Conversation, w.Pending[:1], time.Now())
					if err == nil {
						err = turn.Drop("test")
					}
					mu.Lock()
					holder[w.Lease.Conversation] = false
					answered[w.Lease.Conversation] = append(answered[w.Lease.Conversation], w.Pending[0].ID)
					worked[i]++
					left--
					last := left == 0
					mu.Unlock()
					if err = errors.Join(err, s.Finish(ctx, w.Lease, turn, w.Conversation)); err != nil && ctx.Err() == nil {
						t.Errorf("finish: %v", err)
					}
					if last {
						cancel()
					}
				}
			})
		}
	}
	admitted := map[domain.ConversationID][]domain.MessageID{}
	for n := range each {
		for p := range people {
			m := text(p, fmt.Sprintf("%d.%d", p, n))
			out := admit(t, stores[n%2], m)
			admitted[out[0].Conversation] = append(admitted[out[0].Conversation], m.ID)
		}
	}
	all.Wait()
	assert.Equal(t, admitted, answered, "each message once, in order")
	assert.Positive(t, worked[0])
	assert.Positive(t, worked[1])
}

// A process that dies between the steps of a first contact loses nothing and doubles
// nothing, whatever happens to the names before the repeat.
func TestAdmissionThatWasCutOffIsCompleted(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	changed := func(m domain.Message, phone domain.Phone) domain.Message {
		m.Content = domain.System{Event: "user_changed_number", NewPhone: phone}
		return m
	}
	for step := range redisstore.Steps {
		n := 100 * (step + 1)
		phone := func(i int) domain.Phone { return domain.Phone(strconv.Itoa(34600000000 + n + i)) }
		first := withPhone(text(n, fmt.Sprintf("first%d", step)), phone(0))
		require.NoError(t, s.AdmitHalf(t.Context(), first, step))
		got := admit(t, s, first)[0]
		assert.True(t, got.New, "step %d: a tie alone does not make an id known", step)
		assert.False(t, admit(t, s, first)[0].New)

		// By phone alone, with the news that the number changed: its own name is given up
		// on the way, and the repeat must not begin a new conversation.
		known := admit(t, s, byPhone(phone(1), fmt.Sprintf("known%d", step)))[0].Conversation
		move := changed(byPhone(phone(1), fmt.Sprintf("move%d", step)), phone(2))
		require.NoError(t, s.AdmitHalf(t.Context(), move, step))
		out := admit(t, s, move)[0]
		assert.Equal(t, ports.Admission{Message: move.ID, Conversation: known, New: true}, out, "step %d", step)
		assert.Equal(t, ports.Admission{Message: move.ID, Conversation: known}, admit(t, s, move)[0])
		assert.Equal(t, known, admit(t, s, byPhone(phone(2), fmt.Sprintf("after%d", step)))[0].Conversation)
	}
}

// An id is recognised after every name of its sender led elsewhere.
func TestOldIDIsKnownAfterNamesMoved(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	conv := admit(t, s, byPhone("34600000001", "1"))[0].Conversation
	late := withPhone(text(1, "2"), "34600000001")
	require.Equal(t, conv, admit(t, s, late)[0].Conversation, "stored in a partition other than its name's")
	take := text(2, "3")
	take.Content = domain.System{Event: "user_changed_user_id", NewUser: user(1), NewPhone: "34600000001"}
	require.NotEqual(t, conv, admit(t, s, take)[0].Conversation)
	assert.False(t, admit(t, s, late)[0].New)
	assert.False(t, admit(t, s, byPhone("34600000001", "1"))[0].New)
}

// A message of many people in one call, with repeats in it.
func TestLargeBatch(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	var batch []domain.Message
	for n := range 1000 {
		batch = append(batch, withPhone(text(n%300, strconv.Itoa(n%900)), domain.Phone(strconv.Itoa(34600000000+n%300))))
	}
	fresh := 0
	for _, a := range admit(t, s, batch...) {
		if a.New {
			fresh++
		}
	}
	assert.Equal(t, 900, fresh)
	for _, a := range admit(t, s, batch...) {
		require.False(t, a.New)
	}
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 300, b.Conversations)
	assert.Equal(t, 900, b.Messages)
	assert.WithinDuration(t, time.Now(), b.Oldest, time.Minute)
	assert.Len(t, leaseAll(t, s, 500*time.Millisecond), 900)
	b, err = s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, b)
}

func TestPingNeedsAWrite(t *testing.T) {
	server, s := started(t, redisserver.Options{})
	server.Must(t, "CONFIG", "SET", "min-replicas-to-write", "1")
	err := s.Ping(t.Context())
	require.Error(t, err, "reading is not enough")
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	server.Must(t, "CONFIG", "SET", "min-replicas-to-write", "0")
	require.NoError(t, s.Ping(t.Context()))
	require.NoError(t, s.Close())
	require.Error(t, s.Ping(t.Context()))
}

func TestClosedStoreAnswersItsCallers(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	waiting := make(chan error, 3)
	for range cap(waiting) {
		go func() { _, err := s.Lease(context.Background()); waiting <- err }()
	}
	_, ok := lease(t, s, 50*time.Millisecond)
	require.False(t, ok)
	require.NoError(t, s.Close())
	for range cap(waiting) {
		require.ErrorIs(t, <-waiting, redisstore.ErrClosed)
	}
	_, err := s.Lease(t.Context())
	require.ErrorIs(t, err, redisstore.ErrClosed)
	require.NoError(t, s.Close())
}
