package redisstore

import (
	"context"
	"errors"
	"strconv"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// sighting is one status on its way in.
type sighting struct {
	status *domain.Status
	data   []byte // plain: to which turn it is bound shows later
	wamid  string // hash, or ""
	// conv and turn are where to look: by our reference first, then by the wamid.
	conv, turn string
	byRef      bool
	pointed    bool // the wamid's pointer is written
	answer     *ports.Observation
}

// Observe implements ports.ConversationPort. A status that names a turn also
// teaches the wamid of its send, for later ones that come without the name.
func (s *Store) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out := make([]ports.Observation, len(statuses))
	all := make([]*sighting, len(statuses))
	for i := range statuses {
		data, err := record.EncodeStatus(statuses[i])
		if err != nil {
			return nil, invalid("observe", err)
		}
		st := &statuses[i]
		all[i] = &sighting{status: st, data: data, answer: &out[i]}
		if st.Message != "" {
			all[i].wamid = s.wamidHash(st.Message)
		}
		if st.HasRef {
			all[i].conv, all[i].turn, all[i].byRef = string(st.Ref.Conversation), string(st.Ref.Turn), true
		}
	}
	if err := ports.FromContext(ctx, opName("observe")); err != nil {
		return nil, err
	}
	if err := s.observe(ctx, all); err != nil {
		return nil, storeErr(ctx, "observe", err)
	}
	return out, nil
}

// observe records sightings. Those of one partition go in one call and in order;
// what that call cannot place is tried once more, by its wamid or with its pointer.
func (s *Store) observe(ctx context.Context, all []*sighting) error {
	for round := 0; len(all) > 0 && round < 4; round++ {
		var err error
		if all, err = s.observeRound(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) observeRound(ctx context.Context, all []*sighting) ([]*sighting, error) {
	groups := map[int][]*sighting{}
	for _, o := range all {
		part, ok := s.home(o.conv)
		if !ok { // no reference, or not one of ours
			var err error
			if part, ok, err = s.byWamid(ctx, o); err != nil {
				return nil, err
			}
		}
		if ok {
			groups[part] = append(groups[part], o)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	results := make([]bool, len(all)) // true for what has to be tried again
	index := map[*sighting]int{}
	for i, o := range all {
		index[o] = i
	}
	err := each(ctx, groups, func(ctx context.Context, part int, group []*sighting) error {
		codes, err := s.observeCall(ctx, part, group)
		if err != nil {
			return err
		}
		for i, o := range group {
			if results[index[o]], err = s.placed(ctx, o, codes[2*i], codes[2*i+1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var again []*sighting
	for i, o := range all {
		if results[i] {
			again = append(again, o)
		}
	}
	return again, nil
}

// byWamid finds a sighting's turn through the pointer of its wamid.
func (s *Store) byWamid(ctx context.Context, o *sighting) (int, bool, error) {
	o.byRef, o.conv, o.turn = false, "", ""
	if o.wamid == "" {
		return 0, false, nil
	}
	conv, turn, err := s.pointed(ctx, "observe", o.wamid)
	if err != nil {
		return 0, false, err
	}
	o.conv, o.turn = conv, turn
	part, ok := s.home(conv)
	return part, ok, nil
}

// placed takes note of the script's answer for one sighting and reports whether it
// has to be tried again.
func (s *Store) placed(ctx context.Context, o *sighting, code, conv string) (bool, error) {
	switch code {
	case "n", "m", "d":
		*o.answer = ports.Observation{Turn: domain.TurnID(o.turn), Conversation: domain.ConversationID(conv), New: code != "d", Priced: code == "m"}
		return false, nil
	case "p":
		o.pointed = true
		return true, s.point1(ctx, "observe", o.wamid, o.conv, o.turn)
	}
	if o.byRef { // the reference leads nowhere: perhaps the wamid does
		o.conv = ""
		return o.wamid != "", nil
	}
	return false, nil
}

func (s *Store) observeCall(ctx context.Context, part int, group []*sighting) ([]string, error) {
	var args []string
	for _, o := range group {
		partNo, attempt := "", ""
		if o.byRef {
			partNo, attempt = strconv.Itoa(o.status.Ref.Part), strconv.Itoa(o.status.Ref.Attempt)
		}
		args = append(args, o.turn, o.wamid, partNo, attempt, string(o.status.State),
			flag(o.status.State == domain.DeliveryFailed), flag(o.pointed), string(s.sealer.Seal(o.data, record.KindFact, o.turn)), flag(o.status.Pricing != nil))
	}
	msg, err := s.run(ctx, "observe", call{sc: scObserve, part: part, args: args, durable: true})
	if err != nil {
		return nil, err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 1+2*len(group) {
		return nil, errors.Join(err, errors.New("unexpected answer"))
	}
	s.dispatch.learn(part, out[0])
	return out[1:], nil
}
