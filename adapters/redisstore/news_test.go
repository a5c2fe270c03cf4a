package redisstore_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

// told waits for news of a lease.
func told(t *testing.T, w ports.Work, what string) {
	t.Helper()
	select {
	case <-w.News:
	case <-time.After(10 * time.Second):
		t.Fatalf("no news of %s", what)
	}
}

// published is how often the server was asked to publish.
func published(t *testing.T, r *redisserver.Server) int {
	t.Helper()
	for _, line := range strings.Fields(r.Must(t, "INFO", "commandstats")) {
		if v, ok := strings.CutPrefix(line, "cmdstat_publish:calls="); ok {
			n, err := strconv.Atoi(v[:strings.IndexByte(v, ',')])
			require.NoError(t, err)
			return n
		}
	}
	return 0
}

// Only a conversation in somebody's hands is told of: the others cost what they did.
func TestOnlyLeasedConversationIsToldOf(t *testing.T) {
	r, s := started(t, redisserver.Options{})
	admit(t, s, text(1, "1"))
	w, ok := lease(t, s, 10*time.Second)
	require.True(t, ok)

	before := published(t, r)
	admit(t, s, text(1, "2"), text(1, "3"))
	assert.Equal(t, before+1, published(t, r), "once for two messages of one call")
	admit(t, s, text(1, "2"))
	assert.Equal(t, before+1, published(t, r), "a duplicate is no news")

	require.NoError(t, s.Defer(t.Context(), w.Lease, nil, time.Hour))
	before = published(t, r)
	admit(t, s, text(1, "4"))
	assert.Equal(t, before, published(t, r), "nobody has it")
}

// What a lease leaves unread goes with it, and what a store cannot make out it passes
// over, as releases before and after this one do.
func TestStoreHearsOnlyWhatItUnderstands(t *testing.T) {
	r, s := started(t, redisserver.Options{})
	admit(t, s, text(1, "1"))
	w, ok := lease(t, s, 10*time.Second)
	require.True(t, ok)
	conv := string(w.Lease.Conversation)
	require.Eventually(t, func() bool { return strings.Contains(r.Must(t, "PUBSUB", "NUMSUB", "wa:wake"), "1") }, 10*time.Second, time.Millisecond)
	for _, said := range []string{"", "news", "0:other:news", "0:other:news:" + conv + ":more", "0:other:gossip:" + conv, "x:other:1/1", "0:other:x/y"} {
		r.Must(t, "PUBLISH", "wa:wake", said)
	}
	_, ok = lease(t, s, 100*time.Millisecond) // the connection has brought all of it, most likely
	require.False(t, ok)
	for len(w.News) > 0 {
		<-w.News // of the beginning of the subscription
	}
	r.Must(t, "PUBLISH", "wa:wake", "0:other:news:"+conv)
	told(t, w, "what another store said")
}

// What was said while nobody listened is made up for when the channel is heard again.
func TestNewsThatWereNotHeardAreMadeUpFor(t *testing.T) {
	r := redisserver.Start(t, redisserver.Options{})
	holds, admits := open(t, redisstore.Options{URL: r.URL()}), open(t, redisstore.Options{URL: r.URL()})
	admit(t, admits, text(1, "1"))
	w, ok := lease(t, holds, 10*time.Second)
	require.True(t, ok)
	for n := range 5 {
		r.Must(t, "CLIENT", "KILL", "TYPE", "pubsub")
		admit(t, admits, text(1, "more"+strconv.Itoa(n)))
		told(t, w, "a message that was not heard of")
		got, err := holds.Pending(t.Context(), w.Lease)
		require.NoError(t, err)
		for len(got) < 2+n { // the hint was of something before
			told(t, w, "the message itself")
			got, err = holds.Pending(t.Context(), w.Lease)
			require.NoError(t, err)
		}
	}
}

// Whatever ends a lease, nothing of it stays behind.
func TestEndedLeasesAreForgotten(t *testing.T) {
	_, s := started(t, redisserver.Options{})
	take := func() ports.Work {
		w, ok := lease(t, s, 10*time.Second)
		require.True(t, ok)
		require.Equal(t, 1, s.Held())
		return w
	}
	admit(t, s, text(1, "1"))
	require.NoError(t, s.Release(t.Context(), take().Lease))
	assert.Zero(t, s.Held())
	require.NoError(t, s.Defer(t.Context(), take().Lease, nil, 0))
	assert.Zero(t, s.Held())
	old := take()
	require.NoError(t, s.Release(t.Context(), old.Lease))
	now := take()
	_, err := s.Pending(t.Context(), old.Lease)
	require.ErrorIs(t, err, ports.ErrLeaseLost)
	assert.Equal(t, 1, s.Held(), "the newer lease is another")
	_, err = s.Erase(t.Context(), now.Pending[0].From)
	require.NoError(t, err)
	require.ErrorIs(t, s.Extend(t.Context(), now.Lease), ports.ErrLeaseLost)
	assert.Zero(t, s.Held())
	admit(t, s, text(1, "2"))
	finish(t, s, take())
	assert.Zero(t, s.Held())
}
