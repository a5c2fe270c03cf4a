package sqlitestore_test

import (
	"errors"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
)

func open(t testing.TB, opt sqlitestore.Options) *sqlitestore.Store {
	t.Helper()
	if opt.Path == "" {
		opt.Path = filepath.Join(t.TempDir(), "bot.db")
	}
	s, err := sqlitestore.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func textFrom(user int, id string) domain.Message {
	return domain.Message{
		ID: domain.MessageID("wamid." + id), Number: "100", SentAt: time.Unix(1_800_000_000, 0),
		From:    domain.Contact{UserID: domain.UserID("ES." + strconv.Itoa(user)), Phone: domain.Phone(strconv.Itoa(34600000000 + user)), Name: "A"},
		Content: domain.Text{Body: "When do you open on Sunday, and is there a place to park nearby?"},
	}
}

// BenchmarkAdmit measures durable admissions from 64 callers, one message each.
func BenchmarkAdmit(b *testing.B) {
	s := open(b, sqlitestore.Options{})
	var next atomic.Int64
	b.SetParallelism(32) // times GOMAXPROCS, which is 2 on the reference machine
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(next.Add(1))
			m := textFrom(n%1000, "HBgLMzQ2MDAxMTEyMjIVAgASGBQzQUFB"+strconv.Itoa(n*7919%1_000_000_007))
			if _, err := s.Admit(b.Context(), []domain.Message{m}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "admits/s")
}

// BenchmarkTurn measures a whole turn of one message: admit, lease, two
// checkpoints and finish.
func BenchmarkTurn(b *testing.B) {
	s := open(b, sqlitestore.Options{})
	var next atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(next.Add(1))
			if _, err := s.Admit(b.Context(), []domain.Message{textFrom(n, strconv.Itoa(n))}); err != nil {
				b.Error(err)
				return
			}
			w, err := s.Lease(b.Context())
			if err != nil {
				b.Error(err)
				return
			}
			turn, err := domain.NewTurn(domain.TurnID(w.Lease.Conversation), w.Lease.Conversation, w.Pending, time.Now())
			if err != nil {
				b.Error(err)
				return
			}
			for range 2 {
				if err := s.Checkpoint(b.Context(), w.Lease, turn); err != nil {
					b.Error(err)
					return
				}
			}
			_ = turn.Drop("bench")
			if err := s.Finish(b.Context(), w.Lease, turn, w.Conversation); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}

// BenchmarkAnswer measures what the store does of a turn of people who wrote before: a
// message, a lease, the intent to send, the end with what was sent, and three statuses.
func BenchmarkAnswer(b *testing.B) {
	s := open(b, sqlitestore.Options{})
	var next atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := answer(b, s, int(next.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}

func answer(b *testing.B, s *sqlitestore.Store, n int) error {
	id := strconv.Itoa(n)
	if _, err := s.Admit(b.Context(), []domain.Message{textFrom(n%1000, id)}); err != nil {
		return err
	}
	w, err := s.Lease(b.Context())
	if err != nil {
		return err
	}
	turn, err := domain.NewTurn(domain.TurnID("turn."+id), w.Lease.Conversation, w.Pending, time.Now())
	if err != nil {
		return err
	}
	const words = "We open at ten on Sunday, and there is a car park behind the house."
	err = errors.Join(turn.Answer(domain.Reply{Text: words}), turn.Plan([]domain.Part{{Kind: domain.PartText, Text: words}}), turn.Intend(0, time.Now()))
	if err == nil {
		err = s.Checkpoint(b.Context(), w.Lease, turn)
	}
	if err == nil {
		err = turn.Accepted(0, domain.MessageID("wamid.sent."+id))
	}
	if err == nil {
		err = s.Finish(b.Context(), w.Lease, turn, w.Conversation)
	}
	for _, state := range []domain.DeliveryState{domain.DeliverySent, domain.DeliveryDelivered, domain.DeliveryRead} {
		if err == nil {
			_, err = s.Observe(b.Context(), []domain.Status{{
				Message: domain.MessageID("wamid.sent." + id), State: state,
				HasRef: true, Ref: domain.PartRef{Turn: turn.ID(), Attempt: 1},
			}})
		}
	}
	return err
}
