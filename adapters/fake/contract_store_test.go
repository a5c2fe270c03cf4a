package fake_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func storeHarness() porttest.StoreHarness {
	return porttest.StoreHarness{
		New: func(*testing.T) porttest.Store { return fake.NewStore(fake.StoreOptions{}) },
		// The bubble's clock goes on when everything waits, so days pass at once.
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		// Reopen is nil: memory is all it has.
		Break: func(_ *testing.T, s porttest.Store) func() {
			s.(*fake.Store).Fail(errors.New("no room left"))
			return func() { s.(*fake.Store).Fail(nil) }
		},
		Dead: func(t *testing.T, s porttest.Store) []porttest.DeadLetter {
			letters, err := s.(*fake.Store).DeadLetters(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
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

func TestStoreDedup(t *testing.T)        { porttest.TestDedup(t, storeHarness()) }
func TestStoreInbox(t *testing.T)        { porttest.TestInbox(t, storeHarness()) }
func TestStoreConversation(t *testing.T) { porttest.TestConversation(t, storeHarness()) }
func TestStoreControl(t *testing.T)      { porttest.TestControl(t, storeHarness()) }
func TestStoreDeadLetters(t *testing.T)  { porttest.TestDeadLetters(t, storeHarness()) }
func TestStoreRetention(t *testing.T) {
	h := storeHarness()
	h.New = func(*testing.T) porttest.Store {
		return fake.NewStore(fake.StoreOptions{Retention: porttest.TestedRetention})
	}
	porttest.TestRetention(t, porttest.RetentionHarness{StoreHarness: h})
}

func TestStoreExport(t *testing.T) { porttest.TestExport(t, storeHarness()) }

func TestStoreErasure(t *testing.T) {
	h := porttest.ErasureHarness{StoreHarness: storeHarness()}
	var s *fake.Store // of the case under way
	h.New = func(*testing.T) porttest.Store {
		s = fake.NewStore(fake.StoreOptions{})
		return s
	}
	h.Dump = func() string { return s.Dump() }
	porttest.TestErasure(t, h)
}

func TestStorePacer(t *testing.T) {
	porttest.TestPacer(t, porttest.PacerHarness{
		New:     func(*testing.T) ports.PacerPort { return fake.NewStore(fake.StoreOptions{}) },
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Wrap:    synctest.Test,
	})
}

func TestStoreLedger(t *testing.T) {
	porttest.TestLedger(t, porttest.LedgerHarness{
		New:     func(*testing.T) ports.LedgerPort { return fake.NewStore(fake.StoreOptions{}) },
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Wrap:    synctest.Test,
	})
}

func TestStoreBacklog(t *testing.T) { porttest.TestBacklog(t, storeHarness()) }
