package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrClosed says that the simulator was closed.
var ErrClosed = errors.New("simulator closed")

// Simulator is one business number of a simulated WhatsApp cloud with all its users. Make it with New, serve Handler on a
// listener, Start the delivery of webhooks and statuses, Close it at the end.
type Simulator struct {
	cfg    Config
	hook   *http.Client
	log    *logbook
	events *hub

	encoding chan struct{} // bounds encoder processes
	secret   []byte        // signs download tokens
	done     chan struct{} // closed by Close
	wake     chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	cancel   context.CancelFunc
	closed   bool
	rng      *rand.Rand
	faults   Faults
	notices  []string
	hookURL  string
	baseURL  string
	counts   Counts
	timeline *ring[TL]
	turns    turnStarts

	directory
	messageStore
	mediaStore
	outbox
	number bucket // throughput of the business number
}

// New makes a simulator that is not started yet: it answers Graph calls and queues webhooks, but delivers nothing. It
// opens the log file of Config.LogPath and fails when a setting is out of range.
func New(cfg Config) (*Simulator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("new simulator: %w", err)
	}
	book, err := openLogbook(cfg.LogPath, cfg.MaxLogEntries)
	if err != nil {
		return nil, fmt.Errorf("new simulator: %w", err)
	}
	transport := &http.Transport{
		MaxIdleConns: cfg.MaxInFlightWebhooks, MaxIdleConnsPerHost: cfg.MaxInFlightWebhooks,
		IdleConnTimeout: 30 * time.Second,
	}
	s := &Simulator{
		cfg: cfg, log: book, events: newHub(),
		hook: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is not 200, so it is a failed delivery
		}},
		encoding: make(chan struct{}, 2),
		done:     make(chan struct{}), wake: make(chan struct{}, 1), changed: make(chan struct{}),
		rng:    rand.New(rand.NewPCG(cfg.Seed, cfg.Seed^0x5eed)),
		faults: cfg.Faults.clone(), notices: cfg.Notices, hookURL: cfg.WebhookURL, baseURL: strings.TrimSuffix(cfg.BaseURL, "/"),
		timeline:     newRing[TL](maxTimeline),
		turns:        turnStarts{at: map[string]int64{}},
		directory:    newDirectory(),
		messageStore: newMessageStore(cfg.MaxMessages),
		mediaStore:   newMediaStore(cfg.MaxMediaBytes),
		outbox:       newOutbox(),
	}
	s.secret = []byte(s.randomString(32, alphanumerics))
	return s, nil
}

// Start begins to deliver webhooks and statuses. The work ends with ctx or with Close. It fails when called twice.
func (s *Simulator) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("start simulator: %w", ErrClosed)
	}
	if s.cancel != nil {
		return errors.New("start simulator: already started")
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.running.Add(1)
	go s.run(ctx)
	return nil
}

// Close stops the deliveries, waits for those under way, ends the event streams and closes the log file. Undelivered
// webhooks are lost, as the process is the only memory. A second call does nothing.
func (s *Simulator) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.cancel != nil {
		s.cancel()
	}
	close(s.done)
	s.mu.Unlock()
	s.running.Wait()
	s.hook.CloseIdleConnections()
	if err := s.log.close(); err != nil {
		return fmt.Errorf("close simulator: %w", err)
	}
	return nil
}

// Config returns the settings in force, defaults filled in.
func (s *Simulator) Config() Config {
	c := s.cfg
	c.RetrySchedule, c.Notices = slices.Clone(c.RetrySchedule), slices.Clone(c.Notices)
	f := c.Faults.clone()
	c.Faults = &f
	return c
}

// SetWebhookURL says where webhooks go from now on, those that wait for a retry included. Empty: they wait.
func (s *Simulator) SetWebhookURL(url string) error {
	if err := checkURL(url); err != nil {
		return fmt.Errorf("set webhook URL: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookURL = url
	s.wakeLocked()
	return nil
}

// SetBaseURL says what media URLs start with: the address under which the bot reaches Handler.
func (s *Simulator) SetBaseURL(url string) error {
	if err := checkURL(url); err != nil {
		return fmt.Errorf("set base URL: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.baseURL = strings.TrimSuffix(url, "/")
	return nil
}

// SetNotices replaces the sentences the page shows at the top; open pages read their state again.
func (s *Simulator) SetNotices(notices []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices = slices.Clone(notices)
	s.events.publish("reset", obj())
}

func (s *Simulator) now() time.Time { return s.cfg.Clock() }

func (s *Simulator) nowMS() int64 { return s.cfg.Clock().UnixMilli() }

// changedLocked wakes everyone in Wait. The caller holds the lock.
func (s *Simulator) changedLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

const (
	digits        = "0123456789"
	alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// randomString draws from the seeded source. The caller holds the lock.
func (s *Simulator) randomString(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.rng.IntN(len(alphabet))]
	}
	return string(b)
}
