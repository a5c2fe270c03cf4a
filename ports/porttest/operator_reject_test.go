package porttest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenLetters maps each store with broken dead letters to what makes it.
var brokenLetters = map[string]func(good *fake.Store) porttest.Store{
	"oldest letter first":      func(s *fake.Store) porttest.Store { return oldLettersFirst{s} },
	"letters unbounded":        func(s *fake.Store) porttest.Store { return allLetters{s} },
	"letter without messages":  func(s *fake.Store) porttest.Store { return emptyLetters{s} },
	"replay loses messages":    func(s *fake.Store) porttest.Store { return losingReplay{s} },
	"replay twice":             func(s *fake.Store) porttest.Store { return lenientReplay{s} },
	"racy replay":              func(s *fake.Store) porttest.Store { return racyReplay{s} },
	"failed replay discards":   func(s *fake.Store) porttest.Store { return hastyReplay{s} },
	"discard does nothing":     func(s *fake.Store) porttest.Store { return noDiscard{s} },
	"discard forgives unknown": func(s *fake.Store) porttest.Store { return lenientDiscard{s} },
	"replay deaf to context":   func(s *fake.Store) porttest.Store { return deafReplay{s} },
}

func TestDeadLettersRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"oldest letter first":      "NewestLetterComesFirst",
		"letters unbounded":        "LettersAreBounded",
		"letter without messages":  "LetterHoldsTurnAndMessages",
		"replay loses messages":    "ReplayMakesDueAtOnce",
		"replay twice":             "ReplayTwiceIsNotFound",
		"racy replay":              "ConcurrentReplayHappensOnce",
		"failed replay discards":   "FailedReplayChangesNothing",
		"discard does nothing":     "DiscardRemovesForGood",
		"discard forgives unknown": "DiscardOfNoDeadLetterIsNotFound",
		"replay deaf to context":   "EndedContextChangesNothing",
	}, func(t *testing.T, name string) {
		h, _ := operatorHarness(brokenLetters[name])
		porttest.TestDeadLetters(t, h)
	})
}

// operatorHarness also returns where to find the good store inside the broken one.
func operatorHarness(broken func(*fake.Store) porttest.Store) (porttest.StoreHarness, func() *fake.Store) {
	var good *fake.Store // of the case under way
	return porttest.StoreHarness{
		New: func(*testing.T) porttest.Store {
			good = fake.NewStore(fake.StoreOptions{})
			return broken(good)
		},
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Break: func(*testing.T, porttest.Store) func() {
			good.Fail(errors.New("no room left"))
			return func() { good.Fail(nil) }
		},
		Wrap: synctest.Test,
	}, func() *fake.Store { return good }
}

type (
	oldLettersFirst struct{ *fake.Store }
	allLetters      struct{ *fake.Store }
	emptyLetters    struct{ *fake.Store }
	losingReplay    struct{ *fake.Store }
	lenientReplay   struct{ *fake.Store }
	racyReplay      struct{ *fake.Store }
	hastyReplay     struct{ *fake.Store }
	noDiscard       struct{ *fake.Store }
	lenientDiscard  struct{ *fake.Store }
	deafReplay      struct{ *fake.Store }
)

func (s oldLettersFirst) DeadLetters(ctx context.Context, limit int) ([]ports.DeadLetter, error) {
	out, err := s.Store.DeadLetters(ctx, limit)
	slices.Reverse(out)
	return out, err
}

func (s allLetters) DeadLetters(ctx context.Context, _ int) ([]ports.DeadLetter, error) {
	return s.Store.DeadLetters(ctx, 1000)
}

func (s emptyLetters) DeadLetters(ctx context.Context, limit int) ([]ports.DeadLetter, error) {
	out, err := s.Store.DeadLetters(ctx, limit)
	for i := range out {
		out[i].Messages = nil
	}
	return out, err
}

func (s losingReplay) Replay(ctx context.Context, turn domain.TurnID) error {
	return s.Discard(ctx, turn)
}

func (s lenientReplay) Replay(ctx context.Context, turn domain.TurnID) error {
	err := s.Store.Replay(ctx, turn)
	if strings.HasPrefix(string(turn), "t") && ports.KindOf(err) == ports.KindNotFound {
		return nil
	}
	return err
}

// Replay looks first and acts later.
func (s racyReplay) Replay(ctx context.Context, turn domain.TurnID) error {
	letters, err := s.DeadLetters(ctx, 1000)
	if err != nil || !slices.ContainsFunc(letters, func(l ports.DeadLetter) bool { return l.Turn.ID() == turn }) {
		return s.Store.Replay(ctx, turn)
	}
	time.Sleep(time.Nanosecond)
	if err := s.Store.Replay(ctx, turn); ports.KindOf(err) != ports.KindNotFound {
		return err
	}
	return nil
}

// Replay removes the letter before it puts the messages back.
func (s hastyReplay) Replay(ctx context.Context, turn domain.TurnID) error {
	err := s.Store.Replay(ctx, turn)
	if ports.KindOf(err) == ports.KindTransient {
		s.Fail(nil)
		_ = s.Discard(ctx, turn)
		s.Fail(errors.New("no room left"))
	}
	return err
}

func (s noDiscard) Discard(ctx context.Context, _ domain.TurnID) error {
	return ports.FromContext(ctx, "discard")
}

func (s lenientDiscard) Discard(ctx context.Context, turn domain.TurnID) error {
	if err := s.Store.Discard(ctx, turn); ports.KindOf(err) != ports.KindNotFound {
		return err
	}
	return nil
}

func (s deafReplay) Replay(ctx context.Context, turn domain.TurnID) error {
	return s.Store.Replay(context.WithoutCancel(ctx), turn)
}

// brokenErasures does the same for erasure. dump changes what the store shows.
var brokenErasures = map[string]struct {
	store func(*fake.Store) porttest.Store
	dump  func(s *fake.Store, ids string) string
}{
	"finds by user id only":     {store: func(s *fake.Store) porttest.Store { return findsUsers{s} }},
	"finds at one number":       {store: func(s *fake.Store) porttest.Store { return findsOne{s} }},
	"erases what it finds not":  {store: func(s *fake.Store) porttest.Store { return erasesNothing{s} }},
	"erases everybody":          {store: func(s *fake.Store) porttest.Store { return erasesAll{s} }},
	"erases by user id only":    {store: func(s *fake.Store) porttest.Store { return erasesUsers{s} }},
	"ids are left":              {store: func(s *fake.Store) porttest.Store { return s }, dump: func(s *fake.Store, ids string) string { return s.Dump() + ids }},
	"lease outlives erasure":    {store: func(s *fake.Store) porttest.Store { return keepsLease{s} }},
	"unknown person is error":   {store: func(s *fake.Store) porttest.Store { return strict{s} }},
	"counts are made up":        {store: func(s *fake.Store) porttest.Store { return boastful{s} }},
	"ids stay known":            {store: func(s *fake.Store) porttest.Store { return &longMemoryOfIDs{Store: s} }},
	"failed erasure is silent":  {store: func(s *fake.Store) porttest.Store { return silentErasure{s} }},
	"erasure deaf to context":   {store: func(s *fake.Store) porttest.Store { return deafErasure{s} }},
	"former conversation stays": {store: func(s *fake.Store) porttest.Store { return s }, dump: func(s *fake.Store, ids string) string { return s.Dump() + orphans(ids) }},
}

func TestErasureRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"finds by user id only":     "FindFollowsUserIDAndPhone",
		"finds at one number":       "FindLooksAtAllNumbers",
		"erases what it finds not":  "NothingMentionsThePerson",
		"erases everybody":          "OtherPersonKeepsEverything",
		"erases by user id only":    "NothingIsLeftByPhoneEither",
		"ids are left":              "NothingMentionsThePerson",
		"lease outlives erasure":    "WorkerLosesItsLease",
		"unknown person is error":   "ErasingAgainRemovesNothing",
		"counts are made up":        "CountsAreTrue",
		"ids stay known":            "LaterMessageStartsAnew",
		"failed erasure is silent":  "FailedErasureCanBeRepeated",
		"erasure deaf to context":   "EndedContextErasesNothing",
		"former conversation stays": "ConversationThatLostItsNameGoes",
	}, func(t *testing.T, name string) {
		broken := brokenErasures[name]
		var seen admitted
		h, good := operatorHarness(func(s *fake.Store) porttest.Store {
			seen.operated, seen.text = broken.store(s).(operated), ""
			return &seen
		})
		dump := func() string { return good().Dump() }
		if broken.dump != nil {
			dump = func() string { return broken.dump(good(), seen.text) }
		}
		porttest.TestErasure(t, porttest.ErasureHarness{StoreHarness: h, Dump: dump})
	})
}

// operated is a store with the ports of the operator.
type operated interface {
	porttest.Store
	ports.DeadLetterPort
	ports.ErasurePort
}

// admitted notes what passes through a store, as a careless log does.
type admitted struct {
	operated
	mu   sync.Mutex
	text string
}

func (s *admitted) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	for _, m := range batch {
		s.text += string(m.ID) + " " + string(m.From.Phone) + "\n"
	}
	s.mu.Unlock()
	return s.operated.Admit(ctx, batch)
}

// orphans keeps of the log what came without a user id.
func orphans(log string) string {
	var out string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "wamid.2 ") {
			out += line
		}
	}
	return out
}

type (
	findsUsers    struct{ *fake.Store }
	findsOne      struct{ *fake.Store }
	erasesNothing struct{ *fake.Store }
	erasesAll     struct{ *fake.Store }
	erasesUsers   struct{ *fake.Store }
	keepsLease    struct{ *fake.Store }
	strict        struct{ *fake.Store }
	boastful      struct{ *fake.Store }
	silentErasure struct{ *fake.Store }
	deafErasure   struct{ *fake.Store }
)

func (s findsUsers) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	return s.Store.Find(ctx, domain.Contact{UserID: who.UserID})
}

func (s findsOne) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	out, err := s.Store.Find(ctx, who)
	return out[:min(1, len(out))], err
}

func (s erasesNothing) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	found, err := s.Find(ctx, who)
	return ports.Erased{Conversations: len(found)}, err
}

func (s erasesAll) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	gone, err := s.Store.Erase(ctx, who)
	_, _ = s.Store.Erase(ctx, domain.Contact{UserID: "ES.13491208655302740002"})
	return gone, err
}

func (s erasesUsers) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	if who.UserID == "" {
		return ports.Erased{}, nil
	}
	return s.Store.Erase(ctx, who)
}

func (s keepsLease) Extend(ctx context.Context, l ports.Lease) error {
	if err := s.Store.Extend(ctx, l); !errors.Is(err, ports.ErrLeaseLost) {
		return err
	}
	return nil
}

func (s strict) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	gone, err := s.Store.Erase(ctx, who)
	if err == nil && gone.Conversations == 0 {
		err = &ports.Error{Op: "erase", Kind: ports.KindNotFound}
	}
	return gone, err
}

func (s boastful) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	gone, err := s.Store.Erase(ctx, who)
	gone.MessageIDs *= 2
	return gone, err
}

// longMemoryOfIDs never forgets an id.
type longMemoryOfIDs struct {
	*fake.Store
	mu  sync.Mutex
	ids map[domain.MessageID]bool
}

func (s *longMemoryOfIDs) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range out {
		out[i].New = out[i].New && !s.ids[out[i].Message]
		if s.ids == nil {
			s.ids = map[domain.MessageID]bool{}
		}
		s.ids[out[i].Message] = true
	}
	return out, err
}

func (s silentErasure) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	gone, err := s.Store.Erase(ctx, who)
	if ports.KindOf(err) == ports.KindTransient {
		return gone, nil
	}
	return gone, err
}

func (s deafErasure) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	return s.Store.Erase(context.WithoutCancel(ctx), who)
}

// brokenPacers maps each broken pacer to what makes it of a good one.
var brokenPacers = map[string]func(good *fake.Store) ports.PacerPort{
	"no limit":             func(s *fake.Store) ports.PacerPort { return limitless{s} },
	"wait too short":       func(s *fake.Store) ports.PacerPort { return impatientPacer{s} },
	"refusal costs":        func(s *fake.Store) ports.PacerPort { return punishing{s} },
	"piles up tokens":      func(s *fake.Store) ports.PacerPort { return &hoarder{Store: s} },
	"one bucket for all":   func(s *fake.Store) ports.PacerPort { return oneBucket{s} },
	"racy take":            func(*fake.Store) ports.PacerPort { return &racyTake{taken: map[string]int{}} },
	"limits of one's own":  func(s *fake.Store) ports.PacerPort { return s },
	"hold ignored":         func(s *fake.Store) ports.PacerPort { return deafToHold{s} },
	"hold leaves it full":  func(s *fake.Store) ports.PacerPort { return &pause{Store: s} },
	"newest hold decides":  func(s *fake.Store) ports.PacerPort { return &lastHold{Store: s} },
	"pacer deaf to ending": func(s *fake.Store) ports.PacerPort { return deafPacer{s} },
}

func TestPacerRejectsBrokenPacers(t *testing.T) {
	rejects(t, map[string]string{
		"no limit":             "BucketStartsFull",
		"wait too short":       "RefusalTellsTrueWait",
		"refusal costs":        "RefusalTakesNothing",
		"piles up tokens":      "NeverHoldsMoreThanCapacity",
		"one bucket for all":   "BucketsAreApart",
		"racy take":            "ConcurrentTakeGivesCapacity",
		"limits of one's own":  "LimitIsSharedByProcesses",
		"hold ignored":         "HoldEmpties",
		"hold leaves it full":  "AfterHoldTheBucketIsNotFull",
		"newest hold decides":  "ShorterHoldDoesNotShorten",
		"pacer deaf to ending": "EndedContextTakesAndHoldsNothing",
	}, func(t *testing.T, name string) {
		made := func() ports.PacerPort { return brokenPacers[name](fake.NewStore(fake.StoreOptions{})) }
		porttest.TestPacer(t, porttest.PacerHarness{
			New: func(*testing.T) ports.PacerPort { return made() },
			Another: func(_ *testing.T, p ports.PacerPort) ports.PacerPort {
				if name == "limits of one's own" {
					return made()
				}
				return p
			},
			Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
			Wrap:    synctest.Test,
		})
	})
}

type (
	limitless      struct{ *fake.Store }
	impatientPacer struct{ *fake.Store }
	punishing      struct{ *fake.Store }
	oneBucket      struct{ *fake.Store }
	deafToHold     struct{ *fake.Store }
	deafPacer      struct{ *fake.Store }
)

func (limitless) Take(ctx context.Context, _ ports.Bucket) (time.Duration, error) {
	return 0, ports.FromContext(ctx, "take")
}

func (s impatientPacer) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	wait, err := s.Store.Take(ctx, b)
	return wait / 2, err
}

func (s punishing) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	wait, err := s.Store.Take(ctx, b)
	if wait > 0 {
		err = s.Hold(ctx, b, wait+b.Every/2)
	}
	return wait, err
}

// hoarder goes on filling a bucket that is full.
type hoarder struct {
	*fake.Store
	mu    sync.Mutex
	spare int
	last  time.Time
}

func (s *hoarder) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); !s.last.IsZero() && now.Sub(s.last) > time.Duration(b.Capacity+1)*b.Every {
		s.spare++
	}
	s.last = time.Now()
	if s.spare > 0 && ctx.Err() == nil {
		s.spare--
		return 0, nil
	}
	return s.Store.Take(ctx, b)
}

func (s oneBucket) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	b.Key = "all"
	return s.Store.Take(ctx, b)
}

// racyTake reads the count and writes it later.
type racyTake struct {
	mu    sync.Mutex
	taken map[string]int
}

func (s *racyTake) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	s.mu.Lock()
	n := s.taken[b.Key]
	s.mu.Unlock()
	if n >= b.Capacity {
		return b.Every, nil
	}
	time.Sleep(time.Nanosecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[b.Key] = n + 1
	return 0, ports.FromContext(ctx, "take")
}

func (s *racyTake) Hold(ctx context.Context, _ ports.Bucket, _ time.Duration) error {
	return ports.FromContext(ctx, "hold")
}

func (deafToHold) Hold(ctx context.Context, _ ports.Bucket, _ time.Duration) error {
	return ports.FromContext(ctx, "hold")
}

// pause stops the bucket during a hold, and lets it be as it was afterwards.
type pause struct {
	*fake.Store
	mu    sync.Mutex
	until time.Time
}

func (s *pause) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := time.Until(s.until); wait > 0 {
		return wait, nil
	}
	return s.Store.Take(ctx, b)
}

func (s *pause) Hold(ctx context.Context, _ ports.Bucket, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(d)
	return ports.FromContext(ctx, "hold")
}

// lastHold begins a new bucket with every hold.
type lastHold struct {
	*fake.Store
	mu   sync.Mutex
	gens int
}

func (s *lastHold) key(b ports.Bucket, more int) ports.Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gens += more
	b.Key += strings.Repeat("'", s.gens)
	return b
}

func (s *lastHold) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	return s.Store.Take(ctx, s.key(b, 0))
}

func (s *lastHold) Hold(ctx context.Context, b ports.Bucket, d time.Duration) error {
	return s.Store.Hold(ctx, s.key(b, 1), d)
}

func (s deafPacer) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	wait, err := s.Store.Take(context.WithoutCancel(ctx), b)
	if err == nil && ctx.Err() != nil {
		err = ports.FromContext(ctx, "take")
	}
	return wait, err
}
