package redisstore_test

import (
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/redisstore"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
	"whatsappnode/test/redisserver"
)

// unit is the suites' shortest wait. Leases last ten of them.
const unit = 200 * time.Millisecond

// site is a Redis that stores under test share; each case has a prefix of its own.
type site struct {
	url     string
	masters []*redisserver.Server
	last    string // prefix of the newest store
	secrets []record.Key
}

var prefixes atomic.Int64

// opened is a store that can be closed and opened again under one cleanup.
type opened struct {
	*redisstore.Store
	opt redisstore.Options
}

func (s *site) options() redisstore.Options {
	return redisstore.Options{URL: s.url, Prefix: s.last, Partitions: 16, LeaseTTL: 10 * unit, Keys: s.secrets}
}

func (s *site) open(t *testing.T) *opened { return s.openWith(t, ports.Retention{}) }

func (s *site) openWith(t *testing.T, keep ports.Retention) *opened {
	s.last = "t" + strconv.FormatInt(prefixes.Add(1), 10)
	o := &opened{opt: s.options()}
	o.opt.Retention = keep
	o.reopen(t)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o
}

func (o *opened) reopen(t *testing.T) {
	s, err := redisstore.Open(t.Context(), o.opt)
	require.NoError(t, err)
	o.Store = s
}

// another is a second store on the same data.
func (o *opened) another(t *testing.T) *opened {
	second := &opened{opt: o.opt}
	second.reopen(t)
	t.Cleanup(func() { require.NoError(t, second.Close()) })
	return second
}

func (s *site) harness() porttest.StoreHarness {
	return porttest.StoreHarness{
		Unit:    unit,
		New:     func(t *testing.T) porttest.Store { return s.open(t) },
		Advance: s.advance,
		Reopen: func(t *testing.T, st porttest.Store) porttest.Store {
			o := st.(*opened)
			require.NoError(t, o.Close())
			o.reopen(t)
			return o
		},
		Another: func(t *testing.T, st porttest.Store) porttest.Store { return st.(*opened).another(t) },
		// A master that demands a replica it does not have refuses every write.
		Break: func(t *testing.T, _ porttest.Store) func() {
			s.config(t, "min-replicas-to-write", "1")
			return func() { s.config(t, "min-replicas-to-write", "0") }
		},
		Dead: func(t *testing.T, st porttest.Store) []porttest.DeadLetter {
			letters, err := st.(*opened).DeadLetters(t.Context(), 10)
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
	}
}

func (s *site) config(t *testing.T, key, value string) {
	for _, m := range s.masters {
		m.Must(t, "CONFIG", "SET", key, value)
	}
}

// sleepable is how long a test may sleep; beyond it the store's clock is moved.
const sleepable = time.Minute

// advance lets time pass: by sleeping, or for days by making everything stored that
// much older. Redis' own clock cannot be moved.
func (s *site) advance(t *testing.T, d time.Duration) {
	if d <= sleepable {
		time.Sleep(d)
		return
	}
	script, err := os.ReadFile("testdata/older.lua")
	require.NoError(t, err)
	for _, m := range s.masters {
		for _, key := range s.keys(t, m) {
			m.Must(t, "EVAL", string(script), "1", key, strconv.FormatInt(d.Microseconds(), 10))
		}
	}
}

func (s *site) erasure() porttest.ErasureHarness {
	return porttest.ErasureHarness{StoreHarness: s.harness(), Sealed: len(s.secrets) > 0}
}

func (s *site) suites(t *testing.T) {
	t.Run("Dedup", func(t *testing.T) { porttest.TestDedup(t, s.harness()) })
	t.Run("Inbox", func(t *testing.T) { porttest.TestInbox(t, s.harness()) })
	t.Run("Conversation", func(t *testing.T) { porttest.TestConversation(t, s.harness()) })
	t.Run("Control", func(t *testing.T) { porttest.TestControl(t, s.harness()) })
	t.Run("DeadLetters", func(t *testing.T) { porttest.TestDeadLetters(t, s.harness()) })
	t.Run("Retention", func(t *testing.T) {
		h := s.harness()
		h.New = func(t *testing.T) porttest.Store { return s.openWith(t, porttest.TestedRetention) }
		porttest.TestRetention(t, porttest.RetentionHarness{StoreHarness: h, Sweep: func(t *testing.T, st porttest.Store) {
			require.NoError(t, st.(*opened).Sweep(t.Context()))
		}})
	})
	t.Run("Export", func(t *testing.T) { porttest.TestExport(t, s.harness()) })
	t.Run("Backlog", func(t *testing.T) { porttest.TestBacklog(t, s.harness()) })
	t.Run("Erasure", func(t *testing.T) {
		h := s.erasure()
		h.Dump = func() string { return s.dump(t) }
		porttest.TestErasure(t, h)
	})
	t.Run("Ledger", func(t *testing.T) {
		porttest.TestLedger(t, porttest.LedgerHarness{
			Unit: unit, Advance: s.advance,
			New:     func(t *testing.T) ports.LedgerPort { return s.open(t) },
			Another: func(t *testing.T, l ports.LedgerPort) ports.LedgerPort { return l.(*opened).another(t) },
			Reopen: func(t *testing.T, l ports.LedgerPort) ports.LedgerPort {
				return s.harness().Reopen(t, l.(*opened)).(*opened)
			},
		})
	})
	t.Run("Pacer", func(t *testing.T) {
		porttest.TestPacer(t, porttest.PacerHarness{
			Unit: unit, Advance: s.advance,
			New:     func(t *testing.T) ports.PacerPort { return s.open(t) },
			Another: func(t *testing.T, p ports.PacerPort) ports.PacerPort { return p.(*opened).another(t) },
		})
	})
}

func TestStandalone(t *testing.T) {
	t.Parallel()
	server := redisserver.Start(t, redisserver.Options{})
	s := &site{url: server.URL(), masters: []*redisserver.Server{server}}
	s.suites(t)
}

// A sealed store is a store like any other.
func TestSealedStandalone(t *testing.T) {
	t.Parallel()
	server := redisserver.Start(t, redisserver.Options{})
	s := &site{url: server.URL(), masters: []*redisserver.Server{server}, secrets: keysOf(t, "k1")}
	s.suites(t)
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := redisserver.StartCluster(t, 3, 0)
	s := &site{url: c.URL(), masters: c.Masters}
	s.suites(t)
}
