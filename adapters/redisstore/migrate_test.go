package redisstore_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

// While a slot moves from one master to another, key by key, admissions into it may
// fail, but never half: what failed is new when the move is over, and waits once.
func TestSlotOnTheMoveAdmitsNothingHalf(t *testing.T) {
	c := redisserver.StartCluster(t, 3, 0)
	s := open(t, redisstore.Options{URL: c.URL(), Partitions: 1})
	require.True(t, admit(t, s, text(1, "before"))[0].New)
	var sent []domain.Message
	fresh := map[domain.MessageID]int{}
	move(t, c, func() {
		m := text(1, "during"+strconv.Itoa(len(sent)))
		sent = append(sent, m)
		ctx, cancel := contextFor(t, 100*time.Millisecond)
		defer cancel()
		if out, err := s.Admit(ctx, []domain.Message{m}); err == nil && out[0].New {
			fresh[m.ID]++
		}
	})
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 20*time.Second, 50*time.Millisecond)
	for _, m := range sent {
		if admit(t, s, m)[0].New {
			fresh[m.ID]++
		}
	}
	seen := pending(t, s)
	assert.Len(t, seen, len(sent)+1)
	for _, m := range sent {
		// A call that ran out of time may have been carried out: then no call called it new.
		assert.LessOrEqual(t, fresh[m.ID], 1, "%s", m.ID)
		assert.Equal(t, 1, seen[m.ID], "%s waits once", m.ID)
	}
}

// A holder that asks what waits while the slot moves gets everything or an error, and
// is not told that its lease is lost.
func TestSlotOnTheMoveShowsNothingHalf(t *testing.T) {
	c := redisserver.StartCluster(t, 3, 0)
	s := open(t, redisstore.Options{URL: c.URL(), Partitions: 1})
	admit(t, s, text(1, "1"))
	w, ok := lease(t, s, 10*time.Second)
	require.True(t, ok)
	admit(t, s, text(1, "2"))
	asked := 0
	ask := func() error {
		asked++
		ctx, cancel := contextFor(t, 100*time.Millisecond)
		defer cancel()
		got, err := s.Pending(ctx, w.Lease)
		require.NotErrorIs(t, err, ports.ErrLeaseLost)
		if err == nil {
			require.Len(t, got, 2)
		}
		return err
	}
	move(t, c, func() { _ = ask() }) // ask has judged it
	assert.Greater(t, asked, 5, "it was asked all the while")
	require.Eventually(t, func() bool { return ask() == nil }, 20*time.Second, 50*time.Millisecond)
}

// move moves the slot of the only partition to another master, and runs try before each
// key that goes and after the last.
func move(t *testing.T, c *redisserver.Cluster, try func()) {
	slot := c.Masters[0].Must(t, "CLUSTER", "KEYSLOT", "{wa:p0}")
	n, err := strconv.Atoi(slot)
	require.NoError(t, err)
	from := n * 3 / 16384
	source, target := c.Masters[from], c.Masters[(from+1)%3]
	sourceID, targetID := source.Must(t, "CLUSTER", "MYID"), target.Must(t, "CLUSTER", "MYID")
	target.Must(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID)
	source.Must(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)
	for _, key := range strings.Split(source.Must(t, "CLUSTER", "GETKEYSINSLOT", slot, "1000"), "\n") {
		try()
		source.Must(t, "MIGRATE", "127.0.0.1", strconv.Itoa(target.Port()), key, "0", "5000")
	}
	try()
	for _, m := range []*redisserver.Server{target, source, c.Masters[(from+2)%3]} {
		m.Must(t, "CLUSTER", "SETSLOT", slot, "NODE", targetID)
	}
}
