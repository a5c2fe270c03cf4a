package simulator

import "slices"

// TL is one stage of a turn, as the bot's own process reports it for the page.
type TL struct {
	Turn       string   `json:"turn"`
	User       string   `json:"user"` // the simulator's user id; filled in from MessageIDs when empty
	MessageIDs []string `json:"message_ids"`
	Stage      string   `json:"stage"`
	At         int64    `json:"at"`               // Unix milliseconds; 0: now
	MS         int64    `json:"ms"`               // since the turn's first stage; 0: computed
	Detail     string   `json:"detail,omitempty"` // vendor or reason, never message text
}

// turnStarts remembers when recent turns began.
type turnStarts struct {
	at    map[string]int64
	order []string
}

func (t *turnStarts) since(turn string, at int64) int64 {
	first, ok := t.at[turn]
	if !ok {
		if len(t.order) >= maxTurnsTimed {
			delete(t.at, t.order[0])
			t.order = t.order[1:]
		}
		t.at[turn] = at
		t.order = append(t.order, turn)
		return 0
	}
	return max(at-first, 0)
}

// Timeline shows a stage of a turn on the page. It does not block.
func (s *Simulator) Timeline(tl TL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tl.At == 0 {
		tl.At = s.nowMS()
	}
	elapsed := s.turns.since(tl.Turn, tl.At)
	if tl.MS == 0 {
		tl.MS = elapsed
	}
	if tl.MessageIDs == nil {
		tl.MessageIDs = []string{}
	}
	tl.MessageIDs = slices.Clone(tl.MessageIDs)
	for _, id := range tl.MessageIDs {
		if m := s.byID[id]; m != nil && tl.User == "" {
			tl.User = m.User
		}
	}
	s.timeline.add(tl)
	s.events.publish("timeline", tl)
	s.changedLocked()
}
