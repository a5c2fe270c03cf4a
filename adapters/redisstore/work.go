package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// claim leases the conversation of a partition that is due longest. It returns the
// report on the head as the scripts tell it, and no work when nothing is due.
func (s *Store) claim(ctx context.Context, part int) (ports.Work, string, bool, error) {
	done := s.news.Expect()
	defer done()
	until := time.Now().Add(s.opt.LeaseTTL) // by the server's clock it is no earlier
	msg, err := s.run(ctx, "lease", call{sc: scClaim, part: part, args: []string{micros(s.opt.LeaseTTL), strconv.Itoa(ports.MaxPending)}})
	if err != nil {
		return ports.Work{}, "", false, err
	}
	out, err := msg.ToArray()
	if err != nil || (len(out) != 1 && len(out) != 8) {
		return ports.Work{}, "", false, storeErr(ctx, "lease", errors.Join(err, errors.New("unexpected answer")))
	}
	report, err := out[0].ToString()
	if err != nil || len(out) == 1 {
		return ports.Work{}, report, false, storeErr(ctx, "lease", err)
	}
	work, err := s.readWork(out)
	work.Now = clockOf(report)
	if err == nil {
		work.News = s.news.Add(work.Lease, until)
	} else if !record.Unreadable(err) {
		s.giveBack(work.Lease)
	}
	// A record that cannot be read will not be readable at once: its conversation waits
	// for the lease to run out, and the others go on.
	return work, report, err == nil, storeErr(ctx, "lease", err)
}

// readWork decodes what a lease holds.
func (s *Store) readWork(out []rueidis.RedisMessage) (ports.Work, error) {
	head := make([]string, 3)
	for i := range head {
		var err error
		if head[i], err = out[1+i].ToString(); err != nil {
			return ports.Work{}, err
		}
	}
	token, err := strconv.ParseInt(head[1], 10, 64)
	if err != nil {
		return ports.Work{}, err
	}
	w := ports.Work{Lease: ports.Lease{Conversation: domain.ConversationID(head[0]), Token: token, TTL: s.opt.LeaseTTL}}
	pending, err := stringsOf(out[4])
	if err != nil {
		return w, err
	}
	if w.Pending, err = s.readPending(pending); err != nil {
		return w, err
	}
	if err := s.readOpen(&w, out[5]); err != nil {
		return w, err
	}
	if w.Controls, err = controlsOf(out[6]); err != nil {
		return w, err
	}
	abandoned, err := out[7].ToString()
	if err != nil {
		return w, err
	}
	w.Abandoned = abandoned == "1"
	w.Conversation, err = s.readMemory(w, head[2])
	return w, err
}

// clockOf reads the server's clock out of a report.
func clockOf(report string) time.Time {
	stamp, _, _ := strings.Cut(report, "/")
	us, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return time.Time{} // the script always tells; a zero time is no clock
	}
	return time.UnixMicro(us)
}

func controlsOf(m rueidis.RedisMessage) (domain.Controls, error) {
	words, err := m.ToString()
	if err != nil {
		return domain.Controls{}, err
	}
	return readControls(words)
}

// readPending decodes the messages of an inbox: the hash of each one's id, then the
// message behind its due time.
func (s *Store) readPending(entries []string) ([]domain.Message, error) {
	if len(entries)%2 != 0 {
		return nil, record.ErrMalformed
	}
	var out []domain.Message
	for i := 0; i < len(entries); i += 2 {
		_, data, _ := strings.Cut(entries[i+1], ":")
		m, err := s.sealer.DecodeMessage([]byte(data), entries[i])
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (s *Store) readOpen(w *ports.Work, msg rueidis.RedisMessage) error {
	turns, err := msg.ToArray()
	if err != nil {
		return err
	}
	var facts []fact
	for _, each := range turns {
		parts, err := stringsOf(each)
		if err != nil {
			return err
		}
		turn, its, err := s.readTurn(parts)
		if err != nil {
			return err
		}
		w.Open, facts = append(w.Open, turn), append(facts, its...)
	}
	slices.SortFunc(facts, func(a, b fact) int { return cmp.Compare(a.seq, b.seq) })
	for _, f := range facts {
		w.Facts, w.Lease.Cursor = append(w.Facts, f.status), f.seq
	}
	return nil
}

// readMemory decodes the conversation. Until a turn is finished there is none, nor when
// it was not kept any longer: then a message that waits, or a turn that a late failure
// opened again, says who it is with.
func (s *Store) readMemory(w ports.Work, memory string) (domain.Conversation, error) {
	if memory != "" {
		return s.sealer.DecodeConversation([]byte(memory), w.Lease.Conversation)
	}
	if len(w.Pending) == 0 {
		if len(w.Open) == 0 {
			return domain.Conversation{}, record.ErrMalformed
		}
		return domain.NewConversation(w.Lease.Conversation, w.Open[0].Number(), w.Open[0].To())
	}
	first := w.Pending[0]
	return domain.NewConversation(w.Lease.Conversation, first.Number, first.From)
}
