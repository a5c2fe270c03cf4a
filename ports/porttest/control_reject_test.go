package porttest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenControls maps each store with broken controls to what makes it.
var brokenControls = map[string]func(good *fake.Store) porttest.Store{
	"controls not in work":         func(s *fake.Store) porttest.Store { return unsteered{s} },
	"controls of everybody":        func(s *fake.Store) porttest.Store { return &oneForAll{Store: s} },
	"pause never ends":             func(s *fake.Store) porttest.Store { return &endlessPause{Store: s} },
	"pause only grows":             func(s *fake.Store) porttest.Store { return longestPause{s} },
	"resume does nothing":          func(s *fake.Store) porttest.Store { return noResume{s} },
	"one control at a time":        func(s *fake.Store) porttest.Store { return oneControl{s} },
	"change leaves the lease":      func(s *fake.Store) porttest.Store { return &lateChange{Store: s} },
	"change leaves the delay":      func(s *fake.Store) porttest.Store { return &sleepyChange{Store: s} },
	"holder loses its lease":       func(s *fake.Store) porttest.Store { return strictHolder{s} },
	"holder is not fenced":         func(s *fake.Store) porttest.Store { return openHolder{s} },
	"unknown conversation is fine": func(s *fake.Store) porttest.Store { return forgivingControls{s} },
	"invalid change is made":       func(s *fake.Store) porttest.Store { return carelessControls{s} },
	"failed change is kept":        func(s *fake.Store) porttest.Store { return &eagerControls{Store: s} },
	"change is deaf to context":    func(s *fake.Store) porttest.Store { return deafControls{s} },
	"controls end with the turn":   func(s *fake.Store) porttest.Store { return shortMemory{s} },
	"controls outlive the person":  func(s *fake.Store) porttest.Store { return &grudge{Store: s} },
	"message pauses nothing":       func(s *fake.Store) porttest.Store { return noPause{s} },
	"message pauses later":         func(s *fake.Store) porttest.Store { return latePause{s} },
	"message shortens pause":       func(s *fake.Store) porttest.Store { return cutsPause{s} },
	"duplicate pauses":             func(s *fake.Store) porttest.Store { return echoChamber{s} },
	"work without a clock":         func(s *fake.Store) porttest.Store { return noClock{s} },
	"work with a stopped clock":    func(s *fake.Store) porttest.Store { return stoppedClock{s} },
}

func TestControlRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"controls not in work":         "ControlsComeWithLease",
		"controls of everybody":        "ControlsAreOfOneConversation",
		"pause never ends":             "PauseEndsByItself",
		"pause only grows":             "PauseReplacesPause",
		"resume does nothing":          "ResumeEndsPause",
		"one control at a time":        "ChangeLeavesTheOtherControlsAlone",
		"change leaves the lease":      "ChangeTakesTheLease",
		"change leaves the delay":      "ChangeEndsDelay",
		"holder loses its lease":       "HolderKeepsItsLease",
		"holder is not fenced":         "LostHolderChangesNothing",
		"unknown conversation is fine": "UnknownConversationIsNotFound",
		"invalid change is made":       "InvalidChangeIsRefused",
		"failed change is kept":        "FailedChangeChangesNothing",
		"change is deaf to context":    "EndedContextChangesNothing",
		"controls end with the turn":   "ControlsOutliveFinish",
		"controls outlive the person":  "ControlsGoWithThePerson",
		"message pauses nothing":       "PausingMessagePauses",
		"message pauses later":         "PausingMessageTakesTheLease",
		"message shortens pause":       "PausingMessageShortensNothing",
		"duplicate pauses":             "DuplicatePausesNothing",
		"work without a clock":         "WorkTellsTheTime",
		"work with a stopped clock":    "WorkTellsTheTime",
	}, func(t *testing.T, name string) {
		var good *fake.Store // of the case under way
		porttest.TestControl(t, porttest.StoreHarness{
			New: func(*testing.T) porttest.Store {
				good = fake.NewStore(fake.StoreOptions{})
				return brokenControls[name](good)
			},
			Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
			Break: func(*testing.T, porttest.Store) func() {
				good.Fail(errors.New("no room left"))
				return func() { good.Fail(nil) }
			},
			Wrap: synctest.Test,
		})
	})
}

type (
	unsteered         struct{ *fake.Store }
	oneForAll         struct{ *fake.Store }
	longestPause      struct{ *fake.Store }
	noResume          struct{ *fake.Store }
	oneControl        struct{ *fake.Store }
	strictHolder      struct{ *fake.Store }
	openHolder        struct{ *fake.Store }
	forgivingControls struct{ *fake.Store }
	carelessControls  struct{ *fake.Store }
	deafControls      struct{ *fake.Store }
	shortMemory       struct{ *fake.Store }
	noPause           struct{ *fake.Store }
	latePause         struct{ *fake.Store }
	cutsPause         struct{ *fake.Store }
	echoChamber       struct{ *fake.Store }
	noClock           struct{ *fake.Store }
	stoppedClock      struct{ *fake.Store }
)

func (s unsteered) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	w.Controls = domain.Controls{}
	return w, err
}

// Controls of the first user are everybody's.
func (s *oneForAll) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	all, err := s.Store.Controls(ctx, id)
	if ids, _ := s.Find(ctx, domain.Contact{UserID: "ES.9000000001"}); err == nil && len(ids) > 0 {
		return s.Store.Controls(ctx, ids[0])
	}
	return all, err
}

// endlessPause answers with what was left when it was asked first.
type endlessPause struct {
	*fake.Store
	first domain.Controls
}

func (s *endlessPause) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	now, err := s.Store.Controls(ctx, id)
	if s.first.Paused == 0 {
		s.first = now
	}
	return s.first, err
}

func (s longestPause) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if now, err := s.Controls(ctx, id); err == nil && ch.Kind == domain.ControlPause && now.Paused > ch.For {
		return nil
	}
	return s.Store.Control(ctx, id, ch)
}

func (s noResume) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if ch.Kind == domain.ControlResume {
		return nil
	}
	return s.Store.Control(ctx, id, ch)
}

func (s oneControl) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if ch.Kind == domain.ControlBlock {
		_ = s.Store.Control(ctx, id, domain.ControlChange{Kind: domain.ControlOptIn})
	}
	if ch.Kind == domain.ControlOptIn {
		_ = s.Store.Control(ctx, id, domain.ControlChange{Kind: domain.ControlUnblock})
	}
	return s.Store.Control(ctx, id, ch)
}

// lateChange waits with a change until nobody holds the conversation.
type lateChange struct {
	*fake.Store
	holds bool
}

func (s *lateChange) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	s.holds = err == nil
	return w, err
}

func (s *lateChange) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if s.holds {
		_, err := s.Controls(ctx, id)
		return err
	}
	return s.Store.Control(ctx, id, ch)
}

// sleepyChange makes no change while the conversation is deferred.
type sleepyChange struct {
	*fake.Store
	asleep bool
}

func (s *sleepyChange) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, d time.Duration) error {
	s.asleep = true
	return s.Store.Defer(ctx, l, t, d)
}

func (s *sleepyChange) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if s.asleep {
		return nil
	}
	return s.Store.Control(ctx, id, ch)
}

func (s strictHolder) ControlHeld(ctx context.Context, l ports.Lease, ch domain.ControlChange) error {
	if err := s.Store.ControlHeld(ctx, l, ch); err != nil {
		return err
	}
	return s.Release(ctx, l)
}

func (s openHolder) ControlHeld(ctx context.Context, l ports.Lease, ch domain.ControlChange) error {
	err := s.Store.ControlHeld(ctx, l, ch)
	if errors.Is(err, ports.ErrLeaseLost) {
		_ = s.Control(ctx, l.Conversation, ch)
	}
	return err
}

func (s forgivingControls) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	c, err := s.Store.Controls(ctx, id)
	if ports.KindOf(err) == ports.KindNotFound {
		err = nil
	}
	return c, err
}

func (s carelessControls) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	if ch.Validate() != nil {
		ch = domain.ControlChange{Kind: domain.ControlPause, For: time.Hour, By: domain.PausedByOrder}
	}
	return s.Store.Control(ctx, id, ch)
}

// eagerControls keeps a change for later that failed.
type eagerControls struct {
	*fake.Store
	kept []domain.ControlChange
}

func (s *eagerControls) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	err := s.Store.Control(ctx, id, ch)
	if ports.KindOf(err) == ports.KindTransient {
		s.kept = append(s.kept, ch)
	}
	return err
}

func (s *eagerControls) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	for _, ch := range s.kept {
		_ = s.Store.Control(ctx, id, ch)
	}
	return s.Store.Controls(ctx, id)
}

func (s deafControls) Control(_ context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	return s.Store.Control(context.Background(), id, ch)
}

func (s shortMemory) Finish(ctx context.Context, l ports.Lease, t domain.Turn, conv domain.Conversation) error {
	_ = s.ControlHeld(ctx, l, domain.ControlChange{Kind: domain.ControlResume})
	return s.Store.Finish(ctx, l, t, conv)
}

// grudge remembers who opted out beyond an erasure.
type grudge struct {
	*fake.Store
	out bool
}

func (s *grudge) Control(ctx context.Context, id domain.ConversationID, ch domain.ControlChange) error {
	s.out = s.out || ch.Kind == domain.ControlOptOut
	return s.Store.Control(ctx, id, ch)
}

func (s *grudge) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	w.Controls.OptedOut = s.out
	return w, err
}

func (s noPause) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, unpaused(batch))
}

func unpaused(batch []domain.Message) []domain.Message {
	out := make([]domain.Message, len(batch))
	for i, m := range batch {
		m.Pause = 0
		out[i] = m
	}
	return out
}

// Admit stores the message and leaves it to somebody else to look at the pause.
func (s latePause) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, unpaused(batch))
	for i, a := range out {
		if d := batch[i].Pause; err == nil && a.New && d > 0 && batch[i].ID == "wamid.1" {
			_ = s.Control(ctx, a.Conversation, domain.ControlChange{Kind: domain.ControlPause, For: d, By: domain.PausedByOperator})
		}
	}
	return out, err
}

func (s cutsPause) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	for i, a := range out {
		if d := batch[i].Pause; err == nil && a.New && d > 0 {
			_ = s.Control(ctx, a.Conversation, domain.ControlChange{Kind: domain.ControlPause, For: d, By: domain.PausedByOperator})
		}
	}
	return out, err
}

func (s echoChamber) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	for i, a := range out {
		if d := batch[i].Pause; err == nil && !a.New && d > 0 {
			_ = s.Control(ctx, a.Conversation, domain.ControlChange{Kind: domain.ControlPause, For: d, By: domain.PausedByOperator})
		}
	}
	return out, err
}

func (s noClock) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	w.Now = time.Time{}
	return w, err
}

func (s stoppedClock) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	w.Now = time.Unix(1, 0)
	return w, err
}
