package simulator_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestAcceptedSendIsOnDiskBeforeItsAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	w := newWorld(t, func(c *simulator.Config) { c.LogPath = path; c.MaxLogEntries = 10 })
	u := w.writer()
	const senders, each = 8, 10
	var group sync.WaitGroup
	errs := make(chan string, senders*each)
	start := make(chan struct{})
	for range senders {
		group.Go(func() {
			<-start
			for range each {
				id := w.post(`{"messaging_product":"whatsapp","to":"+34600111222","type":"text","text":{"body":"x"}}`).wamid()
				if !slices.Contains(sendsIn(path), id) {
					errs <- id
				}
			}
		})
	}
	close(start)
	group.Wait()
	close(errs)
	require.Empty(t, errs)
	require.Len(t, sendsIn(path), senders*each)
	require.Len(t, w.Outbound(u.ID), senders*each)
	require.Len(t, w.Log(), 10)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func sendsIn(path string) (ids []string) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e simulator.Entry
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Kind == simulator.LogSend {
			ids = append(ids, e.IDs...)
		}
	}
	return ids
}

func TestSendIsRefusedWhenTheLogCannotBeWritten(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.LogPath = filepath.Join(t.TempDir(), "log.jsonl") })
	u := w.writer()
	require.NoError(t, w.BreakLog())
	a := w.post(`{"messaging_product":"whatsapp","to":"+34600111222","type":"text","text":{"body":"x"}}`)
	require.Equal(t, 500, a.status)
	require.Equal(t, 131000, a.code())
	require.Empty(t, w.Outbound(u.ID))
	require.Zero(t, w.Counts().Accepted)
}

func TestManySends(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.MaxMessages = 100 })
	u := w.writer()
	for i := range 300 {
		w.reply(u, strconv.Itoa(i))
	}
	w.idle()
	out := w.Outbound(u.ID)
	require.Len(t, out, 100)
	require.Equal(t, "299", out[99].Text)
	require.Equal(t, 300, w.Counts().Accepted)
}
