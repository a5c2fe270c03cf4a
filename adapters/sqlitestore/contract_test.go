package sqlitestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// Temporary triggers make every write of messages, turns and facts, and every
// erasure, fail late, when
// part of its work is done already.
const (
	failingWrites = `
CREATE TEMP TRIGGER fail_message BEFORE INSERT ON main.inbox BEGIN SELECT RAISE(ABORT, 'test'); END;
CREATE TEMP TRIGGER fail_turn AFTER UPDATE ON main.turns BEGIN SELECT RAISE(ABORT, 'test'); END;
CREATE TEMP TRIGGER fail_new_turn AFTER INSERT ON main.turns BEGIN SELECT RAISE(ABORT, 'test'); END;
CREATE TEMP TRIGGER fail_control AFTER UPDATE OF paused_until, opted_out, blocked ON main.conversations BEGIN SELECT RAISE(ABORT, 'test'); END;
CREATE TEMP TRIGGER fail_fact AFTER INSERT ON main.facts BEGIN SELECT RAISE(ABORT, 'test'); END;
CREATE TEMP TRIGGER fail_erasure BEFORE DELETE ON main.conversations BEGIN SELECT RAISE(ABORT, 'test'); END`
	mendedWrites = `DROP TRIGGER temp.fail_message; DROP TRIGGER temp.fail_turn; DROP TRIGGER temp.fail_new_turn; DROP TRIGGER temp.fail_fact; DROP TRIGGER temp.fail_erasure; DROP TRIGGER temp.fail_control`
)

// opened is a store that can be closed and opened again under one cleanup.
type opened struct {
	*sqlitestore.Store
	path string
	keys []record.Key
	keep ports.Retention
}

func harness(keys ...record.Key) porttest.StoreHarness {
	return porttest.StoreHarness{
		New: func(t *testing.T) porttest.Store {
			o := &opened{path: filepath.Join(t.TempDir(), "bot.db"), keys: keys}
			reopen(t, o)
			t.Cleanup(func() { require.NoError(t, o.Close()) })
			return o
		},
		// The bubble's clock goes on when everything waits, so days pass at once.
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Reopen: func(t *testing.T, s porttest.Store) porttest.Store {
			o := s.(*opened)
			require.NoError(t, o.Close())
			reopen(t, o)
			return o
		},
		Break: func(t *testing.T, s porttest.Store) func() {
			require.NoError(t, s.(*opened).Exec(failingWrites))
			return func() { require.NoError(t, s.(*opened).Exec(mendedWrites)) }
		},
		Dead: func(t *testing.T, s porttest.Store) []porttest.DeadLetter {
			letters, err := s.(*opened).DeadLetters(t.Context(), 10)
			require.NoError(t, err)
			var out []porttest.DeadLetter
			for _, l := range letters {
				d := porttest.DeadLetter{Turn: l.Turn.ID(), Reason: l.Turn.Reason()}
				for _, m := range l.Messages {
					d.Messages = append(d.Messages, m.ID)
				}
				out = append(out, d)
			}
			return out
		},
		Wrap: synctest.Test,
	}
}

func reopen(t *testing.T, o *opened) {
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: o.path, Keys: o.keys, Retention: o.keep})
	require.NoError(t, err)
	o.Store = s
}

func TestDedup(t *testing.T)        { porttest.TestDedup(t, harness()) }
func TestInbox(t *testing.T)        { porttest.TestInbox(t, harness()) }
func TestConversation(t *testing.T) { porttest.TestConversation(t, harness()) }
func TestControl(t *testing.T)      { porttest.TestControl(t, harness()) }
func TestDeadLetters(t *testing.T)  { porttest.TestDeadLetters(t, harness()) }
func TestRetention(t *testing.T)    { testRetention(t) }
func TestExport(t *testing.T)       { porttest.TestExport(t, harness()) }

func TestBacklog(t *testing.T) { porttest.TestBacklog(t, harness()) }

func TestErasure(t *testing.T) { testErasure(t) }

func testErasure(t *testing.T, keys ...record.Key) {
	h := porttest.ErasureHarness{StoreHarness: harness(keys...), Sealed: len(keys) > 0}
	var path string // of the case under way
	made := h.New
	h.New = func(t *testing.T) porttest.Store {
		s := made(t)
		path = s.(*opened).path
		return s
	}
	h.Dump = func() string { return string(files(t, path)) }
	porttest.TestErasure(t, h)
}

func testRetention(t *testing.T, keys ...record.Key) {
	h := harness(keys...)
	h.New = func(t *testing.T) porttest.Store {
		o := &opened{path: filepath.Join(t.TempDir(), "bot.db"), keys: keys, keep: porttest.TestedRetention}
		reopen(t, o)
		t.Cleanup(func() { require.NoError(t, o.Close()) })
		return o
	}
	porttest.TestRetention(t, porttest.RetentionHarness{StoreHarness: h, Sweep: func(t *testing.T, s porttest.Store) {
		require.NoError(t, s.(*opened).Sweep(t.Context()))
	}})
}

// A sealed file is a store like any other.
func TestSealed(t *testing.T) {
	keys := keysOf(t, "k1")
	t.Run("Dedup", func(t *testing.T) { porttest.TestDedup(t, harness(keys...)) })
	t.Run("Inbox", func(t *testing.T) { porttest.TestInbox(t, harness(keys...)) })
	t.Run("Conversation", func(t *testing.T) { porttest.TestConversation(t, harness(keys...)) })
	t.Run("DeadLetters", func(t *testing.T) { porttest.TestDeadLetters(t, harness(keys...)) })
	t.Run("Export", func(t *testing.T) { porttest.TestExport(t, harness(keys...)) })
	t.Run("Erasure", func(t *testing.T) { testErasure(t, keys...) })
	t.Run("Retention", func(t *testing.T) { testRetention(t, keys...) })
}

// files returns every byte of the database, its log and the log's index.
func files(t *testing.T, path string) []byte {
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + suffix)
		if !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
		all = append(all, data...)
	}
	return all
}

func TestPacer(t *testing.T) {
	porttest.TestPacer(t, porttest.PacerHarness{
		New: func(t *testing.T) ports.PacerPort {
			return open(t, sqlitestore.Options{Path: filepath.Join(t.TempDir(), "bot.db")})
		},
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Wrap:    synctest.Test,
	})
}

func TestLedger(t *testing.T) {
	h := harness()
	porttest.TestLedger(t, porttest.LedgerHarness{
		New:     func(t *testing.T) ports.LedgerPort { return h.New(t).(*opened) },
		Reopen:  func(t *testing.T, l ports.LedgerPort) ports.LedgerPort { return h.Reopen(t, l.(*opened)).(*opened) },
		Advance: h.Advance,
		Wrap:    synctest.Test,
	})
}
