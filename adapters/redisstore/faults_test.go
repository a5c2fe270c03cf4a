package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// pending reads every message that waits, leaving nothing due.
func pending(t *testing.T, s *redisstore.Store) map[domain.MessageID]int {
	seen := map[domain.MessageID]int{}
	for _, id := range leaseAll(t, s, time.Second) {
		seen[id]++
	}
	return seen
}

func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	s := open(t, redisstore.Options{URL: server.URL(), Ack: redisstore.AckFsync})
	var mu sync.Mutex
	var acked []domain.MessageID
	for round := range 3 {
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for c := range 8 {
			clients.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					m := text(n%40, fmt.Sprintf("%d.%d.%d", round, c, n))
					if _, err := s.Admit(ctx, []domain.Message{m}); err == nil {
						mu.Lock()
						acked = append(acked, m.ID)
						mu.Unlock()
					}
				}
			})
		}
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(acked) > 150*(round+1) }, 20*time.Second, time.Millisecond)
		server.Kill9()
		stop()
		clients.Wait()
		require.NoError(t, server.Restart())
	}
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 10*time.Second, 20*time.Millisecond)
	seen := pending(t, s)
	for _, id := range acked {
		require.Equal(t, 1, seen[id], "%s was acknowledged", id)
	}
}

func TestReplicaThatIsCutOffRefusesTheAck(t *testing.T) {
	master := redisserver.Start(t, redisserver.Options{})
	replica := redisserver.StartReplica(t, master)
	s := open(t, redisstore.Options{URL: master.URL(), Ack: redisstore.AckReplicas(1), AckTimeout: 200 * time.Millisecond})
	assert.Equal(t, "WAIT", s.Durability().Confirmed)
	require.True(t, admit(t, s, text(1, "1"))[0].New)

	replica.Kill9()
	for range 2 { // a repeat is no way around it, though the server has the message by now
		_, err := s.Admit(t.Context(), []domain.Message{text(1, "2")})
		require.Error(t, err)
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	}
	_, err := s.Admit(t.Context(), []domain.Message{text(1, "1")})
	require.Error(t, err, "nor is a duplicate confirmed by nobody")

	require.NoError(t, replica.Restart())
	require.Eventually(t, func() bool {
		out, err := s.Admit(t.Context(), []domain.Message{text(1, "2")})
		return err == nil && !out[0].New
	}, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, "1", replica.Must(t, "EXISTS", keyOf(t, replica, ":wait")), "what was confirmed is on the replica")
	assert.Equal(t, map[domain.MessageID]int{"wamid.1": 1, "wamid.2": 1}, pending(t, s))
}

func keyOf(t *testing.T, server *redisserver.Server, suffix string) string {
	return server.Must(t, "KEYS", "*"+suffix)
}

func TestPromotedReplicaHasWhatWasAcknowledged(t *testing.T) {
	master := redisserver.Start(t, redisserver.Options{})
	replica := redisserver.StartReplica(t, master)
	s := open(t, redisstore.Options{URL: master.URL(), Ack: redisstore.AckReplicas(1)})
	var acked []domain.MessageID
	for n := range 300 {
		m := text(n%30, strconv.Itoa(n))
		if _, err := s.Admit(t.Context(), []domain.Message{m}); err == nil {
			acked = append(acked, m.ID)
		}
	}
	require.NotEmpty(t, acked)
	master.Kill9()
	require.NoError(t, replica.Promote())
	seen := pending(t, open(t, redisstore.Options{URL: replica.URL()}))
	for _, id := range acked {
		require.Equal(t, 1, seen[id], "%s was acknowledged", id)
	}
}

func TestSentinelFailover(t *testing.T) {
	master := redisserver.Start(t, redisserver.Options{})
	replica := redisserver.StartReplica(t, master)
	sentinel := redisserver.StartSentinel(t, master)
	s := open(t, redisstore.Options{URL: "redis+sentinel://" + sentinel.Addr() + "/" + redisserver.MasterName})
	assert.Equal(t, "sentinel", s.Durability().Mode)
	admit(t, s, text(1, "1"))
	require.Eventually(t, func() bool { // WAIT would speak of the writes of its own connection only
		return replica.Must(t, "DBSIZE") == master.Must(t, "DBSIZE")
	}, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { // the sentinel has to hear of the replica first
		out, err := sentinel.CLI("SENTINEL", "replicas", redisserver.MasterName)
		return err == nil && out != ""
	}, 30*time.Second, 100*time.Millisecond)
	master.Kill9()
	after := open(t, redisstore.Options{URL: "redis+sentinel://" + sentinel.Addr() + "/" + redisserver.MasterName})
	for _, each := range []*redisstore.Store{after, s} {
		require.Eventually(t, func() bool {
			err := each.Release(t.Context(), ports.Lease{Conversation: "none-1", Token: 1})
			return errors.Is(err, ports.ErrLeaseLost)
		}, 40*time.Second, 100*time.Millisecond, "the new master is found")
	}
	out := admit(t, after, text(1, "1"), text(1, "2"))
	assert.Equal(t, []bool{false, true}, []bool{out[0].New, out[1].New})
}

func TestClusterLosesAMaster(t *testing.T) {
	c := redisserver.StartCluster(t, 3, 1)
	s := open(t, redisstore.Options{URL: c.URL(), Ack: redisstore.AckReplicas(1), AckTimeout: 3 * time.Second})
	var batch []domain.Message
	for n := range 60 {
		batch = append(batch, text(n, strconv.Itoa(n)))
	}
	admit(t, s, batch...)
	c.Masters[1].Kill9()

	// The conversations of the other masters go on meanwhile.
	w, ok := lease(t, s, 5*time.Second)
	require.True(t, ok)
	finish(t, s, w)

	require.NoError(t, c.Failover(1, true))
	require.NoError(t, c.WaitOK(20*time.Second))
	s2 := open(t, redisstore.Options{URL: c.URL()})
	seen := pending(t, s2)
	for _, m := range w.Pending {
		seen[m.ID]++
	}
	for _, m := range batch {
		require.Equal(t, 1, seen[m.ID], "%s was acknowledged", m.ID)
	}
	require.Eventually(t, func() bool { // the old connection finds its way too
		for n := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			_, err := s.Turns(ctx, domain.ConversationID("x-"+strconv.Itoa(n)), 1)
			cancel()
			if err != nil {
				return false
			}
		}
		return true
	}, 20*time.Second, 100*time.Millisecond)
}

func TestServerThatForgetsScripts(t *testing.T) {
	server, s := started(t, redisserver.Options{})
	admit(t, s, text(1, "1"))
	server.Must(t, "SCRIPT", "FLUSH")
	admit(t, s, text(1, "2"))
	server.Must(t, "SCRIPT", "FLUSH")
	assert.Len(t, leaseAll(t, s, 300*time.Millisecond), 2)
}

func TestFullServerChangesNothing(t *testing.T) {
	server, s := started(t, redisserver.Options{})
	admit(t, s, text(1, "1"))
	w, ok := lease(t, s, time.Second)
	require.True(t, ok)
	server.Must(t, "CONFIG", "SET", "maxmemory", "1")
	_, err := s.Admit(t.Context(), []domain.Message{text(1, "2"), text(2, "3")})
	require.Error(t, err)
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "OOM", e.Code)
	assert.Equal(t, ports.KindTransient, e.Kind)
	server.Must(t, "CONFIG", "SET", "maxmemory", "0")
	out := admit(t, s, text(1, "2"), text(2, "3"))
	assert.Equal(t, []bool{true, true}, []bool{out[0].New, out[1].New})
	finish(t, s, w)
	got := leaseAll(t, s, 300*time.Millisecond)
	slices.Sort(got)
	assert.Equal(t, []domain.MessageID{"wamid.2", "wamid.3"}, got)
}

func TestFrozenServerDoesNotHoldCallersForEver(t *testing.T) {
	server, s := started(t, redisserver.Options{})
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Admit(ctx, []domain.Message{text(1, "1")})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	server.Resume()
	require.Eventually(t, func() bool {
		_, err := s.Admit(t.Context(), []domain.Message{text(1, "1")})
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	assert.Len(t, leaseAll(t, s, 300*time.Millisecond), 1)
}

func TestRestartedServerIsHeardAgain(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	s := open(t, redisstore.Options{URL: server.URL()})
	other := open(t, redisstore.Options{URL: server.URL()})
	_, ok := lease(t, s, 100*time.Millisecond)
	require.False(t, ok)
	require.NoError(t, server.Restart())
	require.Eventually(t, func() bool { _, err := other.Admit(t.Context(), []domain.Message{text(1, "1")}); return err == nil }, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Lease(ctx)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}
