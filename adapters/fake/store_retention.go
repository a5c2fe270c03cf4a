package fake

import (
	"maps"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// forget removes what is over its time. Every call of the store begins with it, so that
// nobody sees what is.
func (s *Store) forget(now time.Time) {
	if s.keeps.History <= 0 {
		return
	}
	keep := s.keeps.OrDefault()
	over := func(at time.Time, d time.Duration) bool { return now.Sub(at) >= d }
	for _, c := range s.order {
		c.turns = slices.DeleteFunc(c.turns, func(t *storedTurn) bool {
			gone := !t.open && over(t.at, keep.Turns)
			if t.letter != nil {
				gone = !t.open && over(t.letter.at, keep.DeadLetters)
			}
			if gone {
				delete(s.turns, t.turn.ID())
			}
			return gone
		})
		if c.saved != nil && over(c.savedAt, keep.History) {
			c.saved = nil
		}
	}
	maps.DeleteFunc(s.sends, func(_ domain.MessageID, p sentPart) bool { return s.turns[p.turn] == nil })
	maps.DeleteFunc(s.ids, func(_ domain.MessageID, k knownID) bool { return over(k.at, ports.DedupTTL) })
	s.forgetPeople(func(c *conversation) bool {
		return !c.savedAt.IsZero() && over(c.savedAt, keep.Person()) && c.due.IsZero() && len(c.inbox)+len(c.turns) == 0 && c.controls.at(now) == (domain.Controls{})
	})
}

// forgetPeople removes conversations that have nothing left.
func (s *Store) forgetPeople(idle func(*conversation) bool) {
	for _, c := range s.order {
		if idle(c) {
			delete(s.convs, c.id)
		}
	}
	gone := func(c *conversation) bool { return s.convs[c.id] == nil }
	s.order = slices.DeleteFunc(s.order, gone)
	maps.DeleteFunc(s.aliases, func(_ alias, t target) bool { return gone(t.conv) })
}
