package fake

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var (
	_ ports.DedupPort        = (*Store)(nil)
	_ ports.InboxPort        = (*Store)(nil)
	_ ports.ConversationPort = (*Store)(nil)
	_ ports.DeadLetterPort   = (*Store)(nil)
	_ ports.ErasurePort      = (*Store)(nil)
	_ ports.PacerPort        = (*Store)(nil)
	_ ports.BacklogPort      = (*Store)(nil)
	_ ports.LedgerPort       = (*Store)(nil)
	_ ports.ControlPort      = (*Store)(nil)
)

// StoreOptions configure a Store; the zero value is usable.
type StoreOptions struct {
	// LeaseTTL is how long a lease lasts unless extended; 30 seconds when zero.
	LeaseTTL time.Duration
	// NewID makes conversation ids; random ones when nil. An id must be unique and
	// must hold neither "/" nor ".".
	NewID func() domain.ConversationID
	// Retention, when its History is set, says how long what is done with is kept;
	// without it everything is kept.
	Retention ports.Retention
}

// Store keeps everything in memory and is the reference for what the store
// ports mean: it favours plain loops over speed. It takes the time from package
// time, so that inside a testing/synctest bubble days pass in an instant. It owns
// no goroutine and needs no closing. Safe for concurrent use.
type Store struct {
	ttl   time.Duration
	keeps ports.Retention
	newID func() domain.ConversationID

	mu      sync.Mutex
	broken  error
	ids     map[domain.MessageID]knownID
	aliases map[alias]target
	convs   map[domain.ConversationID]*conversation
	order   []*conversation // by creation, so that ties are decided the same way each time
	turns   map[domain.TurnID]*storedTurn
	sends   map[domain.MessageID]sentPart
	buckets map[string]time.Time // when each is full again
	ledger  ledger
	seq     int64 // numbers the facts
	// admitted numbers the messages.
	admitted int64
	waiters  []chan ports.Work
	timer    *time.Timer // armed for the earliest due time while somebody waits
}

type knownID struct {
	conv domain.ConversationID
	at   time.Time
}

// target is where an alias leads. user is the id a phone number was last seen
// with, if any: another user id on that number is a stranger.
type target struct {
	conv *conversation
	user domain.UserID
}

// alias is one way to know a person at one business number: exactly one of user
// and phone is set.
type alias struct {
	number domain.NumberID
	user   domain.UserID
	phone  domain.Phone
}

type conversation struct {
	id      domain.ConversationID
	number  domain.NumberID
	contact domain.Contact       // of the first message
	saved   *domain.Conversation // as last finished
	savedAt time.Time
	inbox   []waiting
	turns   []*storedTurn // oldest first

	token      int64
	leaseUntil time.Time // zero once it was ended
	news       chan struct{}
	// due is when the next worker may take the conversation: the end of the lease
	// while there is one, and zero when nothing waits.
	due time.Time
	// deferred holds back new messages from making the conversation due earlier.
	deferred bool
	controls controls
}

// waiting is one message in an inbox.
type waiting struct {
	message domain.Message
	n       int64     // orders the messages by admission
	at      time.Time // of admission
	due     time.Time // when its hold passes
}

// NewStore makes an empty store.
func NewStore(opt StoreOptions) *Store {
	if opt.LeaseTTL <= 0 {
		opt.LeaseTTL = 30 * time.Second
	}
	if opt.NewID == nil {
		opt.NewID = func() domain.ConversationID { return domain.ConversationID(rand.Text()) }
	}
	return &Store{
		ttl: opt.LeaseTTL, newID: opt.NewID, keeps: opt.Retention,
		ids:     map[domain.MessageID]knownID{},
		aliases: map[alias]target{},
		convs:   map[domain.ConversationID]*conversation{},
		turns:   map[domain.TurnID]*storedTurn{},
		sends:   map[domain.MessageID]sentPart{},
		buckets: map[string]time.Time{},
		ledger:  newLedger(),
	}
}

// Fail makes every later call fail with KindTransient and change nothing, as a
// store whose disk is full; nil ends that.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
	s.grant()
}

// Ping reports whether the store works.
func (s *Store) Ping(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable(ctx, "ping")
}

// Admit implements ports.DedupPort.
func (s *Store) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "admit"); err != nil {
		return nil, err
	}
	for _, m := range batch {
		if err := m.Validate(); err != nil {
			return nil, storeError("admit", ports.KindInvalid, err)
		}
	}
	now := time.Now()
	out := make([]ports.Admission, 0, len(batch))
	for _, m := range batch {
		if seen, ok := s.ids[m.ID]; ok && now.Sub(seen.at) < ports.DedupTTL {
			out = append(out, ports.Admission{Message: m.ID, Conversation: seen.conv})
			continue
		}
		c := s.resolve(m)
		s.ids[m.ID] = knownID{conv: c.id, at: now}
		s.admitted++
		due := now.Add(m.Hold)
		if m.Hold == 0 && c.token > 0 {
			due = now.Add(-ports.HeadStart)
		}
		c.inbox = append(c.inbox, waiting{message: m, n: s.admitted, at: now, due: due})
		if c.leaseUntil.IsZero() && !c.deferred {
			c.dueAt(due)
		}
		c.tell(now)
		if m.Pause > 0 {
			c.controls.pauseAtLeast(now.Add(m.Pause))
			c.recall(now)
		}
		out = append(out, ports.Admission{Message: m.ID, Conversation: c.id, New: true})
	}
	s.grant()
	return out, nil
}

// resolve finds the conversation of a new message, or opens one, and links every
// name the message gives the person to it. A user id decides over a phone number:
// numbers are handed on to other people, user ids are not. For the same reason a
// changed number no longer leads here, while a former user id still does: it can
// only belong to a message that was delayed.
func (s *Store) resolve(m domain.Message) *conversation {
	user := alias{number: m.Number, user: m.From.UserID}
	phone := alias{number: m.Number, phone: m.From.Phone}
	var c *conversation
	if user.user != "" {
		c = s.aliases[user].conv
	}
	if c == nil && phone.phone != "" {
		if t := s.aliases[phone]; t.user == "" || user.user == "" || t.user == user.user {
			c = t.conv
		}
	}
	if c == nil {
		c = &conversation{id: s.newID(), number: m.Number, contact: m.From}
		s.convs[c.id] = c
		s.order = append(s.order, c)
	}
	change, _ := m.Content.(domain.System)
	if change.NewPhone != "" && change.NewPhone != m.From.Phone {
		if s.aliases[phone].conv == c {
			delete(s.aliases, phone)
		}
		phone.phone = change.NewPhone
		s.aliases[phone] = target{conv: c, user: change.NewUser}
	} else if phone.phone != "" {
		t := target{conv: c, user: user.user}
		if old := s.aliases[phone]; t.user == "" && old.conv == c {
			t.user = old.user
		}
		s.aliases[phone] = t
	}
	if user.user != "" {
		s.aliases[user] = target{conv: c}
	}
	if change.NewUser != "" {
		s.aliases[alias{number: m.Number, user: change.NewUser}] = target{conv: c}
	}
	return c
}

// dueAt makes the conversation due at the given time unless it is due earlier.
func (c *conversation) dueAt(at time.Time) {
	if c.due.IsZero() || at.Before(c.due) {
		c.due = at
	}
}

func (s *Store) usable(ctx context.Context, op string) error {
	if err := ports.FromContext(ctx, "fake store: "+op); err != nil {
		return err
	}
	if s.broken != nil {
		return storeError(op, ports.KindTransient, s.broken)
	}
	s.forget(time.Now())
	return nil
}

func storeError(op string, kind ports.Kind, err error) error {
	return &ports.Error{Op: "fake store: " + op, Kind: kind, Err: err}
}
