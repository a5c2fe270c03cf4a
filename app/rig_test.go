package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const number domain.NumberID = "106"

// rules are everything a test may tune: those of all numbers and those of the one
// persona.
type rules struct {
	app.Options
	app.Persona
}

// rig is a bot over an in-memory store inside a synctest bubble: sleeps take no
// time, and Settle returns when everything that can happen has happened.
type rig struct {
	t      *testing.T
	store  *fake.Store
	intake *app.Intake
	phone  *phone
	brain  *brain
	ears   *ears
	voice  *voice
	events *events
	opt    rules
	// more are the personas of several numbers; nil: the one of opt answers at all.
	more  map[domain.NumberID]app.Persona
	drain time.Duration
	pacer ports.PacerPort
	// workers is how many turns are worked on at once.
	workers int
	// ledger replaces the store's where it is not nil.
	ledger ports.LedgerPort
	wrap   func(ports.InboxPort) ports.InboxPort
	tracer ports.TracerPort
	// handoffs is nil where nobody is told.
	handoffs ports.HandoffPort

	stop func()
	seq  atomic.Int64
}

// bubble runs a test with a rig that tune may change before the bot starts.
func bubble(t *testing.T, tune func(*rig), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{
			t: t, store: fake.NewStore(fake.StoreOptions{LeaseTTL: 30 * time.Second}),
			phone: &phone{files: map[domain.MediaID][]byte{}}, brain: &brain{}, ears: &ears{}, voice: &voice{}, events: &events{},
			drain: 8 * time.Second, workers: 8,
		}
		r.opt = rules{
			app.Options{
				SettleWait: 30 * time.Second, SendPolicy: app.AtLeastOnce, TakesStatuses: true,
				SpeakParallel: 4, Notes: notes{},
				NewID: func() string { return fmt.Sprintf("turn%d", r.seq.Add(1)) },
			},
			app.Persona{
				LLM: r.brain, STT: r.ears, TTS: r.voice, ReplyMode: app.ReplyText, Fallback: app.DefaultFallback,
				Memory: domain.Memory{Messages: 20, Tokens: 4000}, TurnTimeout: time.Minute, MaxSpokenChars: 1500, Burst: app.Burst{Limit: 15 * time.Second}, PauseFor: time.Hour,
			},
		}
		r.pacer = r.store
		if tune != nil {
			tune(r)
		}
		r.start()
		test(r)
		r.stop()
	})
}

// start runs a worker, as a new process does.
func (r *rig) start() {
	r.t.Helper()
	var inbox ports.InboxPort = r.store
	if r.wrap != nil {
		inbox = r.wrap(r.store)
	}
	personas, err := app.OnePersona(r.opt.Persona)
	if r.more != nil {
		personas, err = app.NewPersonas(r.more)
	}
	require.NoError(r.t, err)
	ledger := r.ledger
	if ledger == nil {
		ledger = r.store
	}
	books := app.NewBooks(ledger, time.UTC, r.opt.Budget.Fee, func(error) {})
	responder, err := app.NewResponder(app.Deps{
		Inbox: inbox, Controls: r.store, Messenger: r.phone, Personas: personas, Observer: r.events, Ledger: ledger, Books: books, Pacer: r.pacer, Tracer: r.tracer, Handoffs: r.handoffs,
	}, r.opt.Options)
	require.NoError(r.t, err)
	r.intake = app.NewIntake(r.store, r.store, r.events, personas).Keep(books)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	worker := app.NewWorker(inbox, responder, r.events, r.workers, r.drain)
	go func() {
		booksCtx, stopBooks := context.WithCancel(context.Background())
		written := make(chan error, 1)
		go func() { written <- books.Run(booksCtx) }()
		err := worker.Run(ctx)
		stopBooks()
		ended <- errors.Join(err, <-written)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(r.t, <-ended)
	})
}

func (r *rig) settle() { synctest.Wait() }

func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func message(id, user string, c domain.Content) domain.Message {
	return domain.Message{ID: domain.MessageID(id), Number: number, From: domain.Contact{UserID: domain.UserID(user)}, SentAt: time.Now(), Content: c}
}

// at addresses a message to another business number.
func at(number domain.NumberID, m domain.Message) domain.Message {
	m.Number = number
	return m
}

func (r *rig) receives(messages ...domain.Message) ports.Receipt {
	r.t.Helper()
	receipt, err := r.intake.Receive(context.Background(), domain.Envelope{Messages: messages})
	require.NoError(r.t, err)
	return receipt
}

func (r *rig) says(id, user, text string) {
	r.t.Helper()
	r.receives(message(id, user, domain.Text{Body: text}))
}

func (r *rig) speaks(id, user, words string) {
	r.t.Helper()
	r.receives(r.note(id, user, words))
}

// note is a voice note that can be fetched. Notes that belong to one turn come in one
// webhook: a worker may be quicker than the next.
func (r *rig) note(id, user, words string) domain.Message {
	ref := domain.MediaID("media-" + id)
	r.phone.put(ref, []byte(words))
	return message(id, user, domain.Voice{Media: domain.MediaRef{ID: ref, Number: number}, Note: true})
}

// hears reports a status of our n-th send.
func (r *rig) hears(n int, state domain.DeliveryState, f *domain.Failure) {
	r.t.Helper()
	sent := r.phone.calls()[n]
	_, err := r.intake.Receive(context.Background(), domain.Envelope{Statuses: []domain.Status{{
		Message: sent.id, Number: number, State: state, At: time.Now(), Ref: sent.out.Ref, HasRef: true, Failure: f,
	}}})
	require.NoError(r.t, err)
}

// answers are the bodies, or the spoken words, of everything Meta accepted.
func (r *rig) answers() []string {
	var out []string
	for _, c := range r.phone.calls() {
		if c.accepted {
			out = append(out, c.words)
		}
	}
	return out
}

// turns are all turns of the one conversation, oldest first.
func (r *rig) turns() []domain.Turn {
	r.t.Helper()
	id := r.events.conversation()
	turns, err := r.store.Turns(context.Background(), id, 100)
	require.NoError(r.t, err)
	for i, j := 0, len(turns)-1; i < j; i, j = i+1, j-1 {
		turns[i], turns[j] = turns[j], turns[i]
	}
	return turns
}

// phone is a messenger that remembers. Its knob decides about each send.
type phone struct {
	mu     sync.Mutex
	sends  []call
	reads  []domain.MessageID
	files  map[domain.MediaID][]byte
	clips  int
	send   func(n int, out domain.Outbound) (accept bool, err error)
	fetch  func(ref domain.MediaRef) error
	upload func() error
	// receipt is what a read receipt waits for.
	receipt func(ctx context.Context)
}

type call struct {
	out      domain.Outbound
	id       domain.MessageID
	words    string
	accepted bool
	about    ports.Subject
}

func (p *phone) put(id domain.MediaID, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[id] = data
}

func (p *phone) calls() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.sends...)
}

func (p *phone) receipts() []domain.MessageID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]domain.MessageID(nil), p.reads...)
}

func (p *phone) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	if err := out.Validate(); err != nil {
		return "", &ports.Error{Op: "phone", Kind: ports.KindInvalid, Err: err}
	}
	p.mu.Lock()
	n := len(p.sends)
	c := call{out: out, id: domain.MessageID(fmt.Sprintf("wamid.OUT%d", n)), accepted: true, about: ports.SubjectOf(ctx)}
	switch content := out.Content.(type) {
	case domain.OutboundText:
		c.words = content.Body
	case domain.OutboundVoice:
		c.words = "spoken: " + string(p.files[content.Media])
	}
	knob := p.send
	p.mu.Unlock()
	var err error
	if knob != nil {
		c.accepted, err = knob(n, out)
	}
	p.mu.Lock()
	p.sends = append(p.sends, c)
	p.mu.Unlock()
	if err != nil {
		return "", err
	}
	return c.id, nil
}

func (p *phone) FetchMedia(_ context.Context, ref domain.MediaRef) (domain.Media, error) {
	p.mu.Lock()
	knob := p.fetch
	p.mu.Unlock()
	if knob != nil {
		if err := knob(ref); err != nil {
			return domain.Media{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	data, ok := p.files[ref.ID]
	if !ok {
		return domain.Media{}, &ports.Error{Op: "phone", Kind: ports.KindNotFound, Err: errors.New("no such media")}
	}
	return domain.Media{MIME: domain.MIMEOggOpus, Data: data}, nil
}

func (p *phone) Upload(_ context.Context, _ domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.upload != nil {
		if err := p.upload(); err != nil {
			return "", err
		}
	}
	p.clips++
	id := domain.MediaID(fmt.Sprintf("clip%d", p.clips))
	p.files[id] = clip.Bytes()
	return id, nil
}

func (p *phone) MarkRead(ctx context.Context, _ domain.NumberID, id domain.MessageID, typing bool) error {
	if p.receipt != nil {
		p.receipt(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if typing {
		p.reads = append(p.reads, id)
	}
	return nil
}

// brain is a model that says back what it heard, after delay.
type brain struct {
	mu    sync.Mutex
	asked []ports.LLMRequest
	delay time.Duration
	fail  func(n int) error
	// The first cut streams end without their last chunk; short marks an answer as cut
	// by a limit.
	cut   int
	short bool
	// answer is what it says in place of what it heard; with pace it comes letter by
	// letter.
	answer  func(said string) string
	pace    time.Duration
	stopped int // how often the caller's context ended first
}

func (b *brain) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) {
		b.mu.Lock()
		n := len(b.asked)
		b.asked = append(b.asked, req)
		delay, fail, cut, short, answer, pace := b.delay, b.fail, n < b.cut, b.short, b.answer, b.pace
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			b.mu.Lock()
			b.stopped++
			b.mu.Unlock()
			yield(ports.LLMChunk{}, ports.FromContext(ctx, "brain"))
			return
		case <-time.After(delay):
		}
		if fail != nil {
			if err := fail(n); err != nil {
				yield(ports.LLMChunk{}, err)
				return
			}
		}
		said := strings.ReplaceAll(domain.Unfence(domain.FenceMessage, req.Messages[len(req.Messages)-1].Text), "\n", " + ")
		first := "You said: "
		if answer != nil {
			first, said = "", answer(said)
		}
		if pace > 0 {
			for _, r := range said {
				select {
				case <-ctx.Done():
					yield(ports.LLMChunk{}, ports.FromContext(ctx, "brain"))
					return
				case <-time.After(pace):
				}
				if !yield(ports.LLMChunk{Text: string(r)}, nil) {
					return
				}
			}
			said = ""
		}
		if yield(ports.LLMChunk{Text: first}, nil) && yield(ports.LLMChunk{Text: said}, nil) && !cut {
			yield(ports.LLMChunk{Done: true, Truncated: short}, nil)
		}
	}
}

func (b *brain) stops() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

// raw are the requests as they came.
func (b *brain) raw() []ports.LLMRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]ports.LLMRequest(nil), b.asked...)
}

// requests are the requests with the users' words out of their fences.
func (b *brain) requests() []ports.LLMRequest {
	all := b.raw()
	for i := range all {
		all[i].Messages = slices.Clone(all[i].Messages)
		for j, m := range all[i].Messages {
			all[i].Messages[j].Text = domain.Unfence(domain.FenceMessage, m.Text)
		}
	}
	return all
}

// ears hear the bytes of the clip as words, in English unless detect says otherwise.
type ears struct {
	mu     sync.Mutex
	asked  []ports.STTOptions
	delay  time.Duration
	fail   error
	detect func(words string) domain.Transcript
}

func (e *ears) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	e.mu.Lock()
	e.asked = append(e.asked, opt)
	delay, fail, detect := e.delay, e.fail, e.detect
	e.mu.Unlock()
	select {
	case <-ctx.Done():
		return domain.Transcript{}, ports.FromContext(ctx, "ears")
	case <-time.After(delay):
	}
	if fail != nil {
		return domain.Transcript{}, fail
	}
	if detect != nil {
		return detect(string(clip.Bytes())), nil
	}
	return domain.Transcript{Text: string(clip.Bytes()), Language: "en"}, nil
}

// voice speaks by putting the words into the clip.
type voice struct {
	mu    sync.Mutex
	spoke int
	asked []ports.TTSOptions
	fail  error
	panic int // this many calls panic
	size  int
	said  []string
	// refuse is what a text that cannot be spoken has in it, or empty.
	refuse string
	// takes is how long a text takes to be spoken; most is how many were at once.
	takes     func(text string) time.Duration
	now, most int
}

func (v *voice) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	v.mu.Lock()
	v.said = append(v.said, text)
	v.now++
	v.most = max(v.most, v.now)
	takes := v.takes
	v.mu.Unlock()
	if takes != nil {
		select {
		case <-ctx.Done():
		case <-time.After(takes(text)):
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now--
	if ctx.Err() != nil {
		return domain.Audio{}, ports.FromContext(ctx, "voice")
	}
	v.spoke++
	v.asked = append(v.asked, opt)
	if v.spoke <= v.panic {
		panic("voice")
	}
	if v.fail != nil {
		return domain.Audio{}, v.fail
	}
	if v.refuse != "" && strings.Contains(text, v.refuse) {
		return domain.Audio{}, &ports.Error{Op: "voice", Kind: ports.KindTransient, Err: errors.New("down")}
	}
	data := []byte(text)
	if v.size > 0 {
		data = make([]byte, v.size)
	}
	return domain.NewAudio(domain.MIMEOggOpus, data, time.Second)
}

// notes joins clips of words to a clip of all words; check decides about the whole.
type notes struct {
	check func(note domain.Audio, characters int) error
	join  func() error
}

func (n notes) Join(clips []domain.Audio, _ []time.Duration) (domain.Audio, error) {
	if n.join != nil {
		if err := n.join(); err != nil {
			return domain.Audio{}, err
		}
	}
	var all [][]byte
	for _, c := range clips {
		all = append(all, c.Bytes())
	}
	return domain.NewAudio(domain.MIMEOggOpus, bytes.Join(all, []byte(" ")), time.Second)
}

func (n notes) Check(note domain.Audio, characters int) error {
	if n.check == nil {
		return nil
	}
	return n.check(note, characters)
}

// pacer lets everybody pass, or fails.
type pacer func() error

func (p pacer) Take(context.Context, ports.Bucket) (time.Duration, error) { return 0, p() }
func (p pacer) Hold(context.Context, ports.Bucket, time.Duration) error   { return p() }

// events collects what the observer is told.
type events struct {
	mu  sync.Mutex
	all []ports.Event
}

func (e *events) Observe(ev ports.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) conversation() domain.ConversationID {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Conversation != "" {
			return ev.Conversation
		}
	}
	return ""
}

// count tells how often a stage came with the given detail, "" for any.
func (e *events) count(stage ports.Stage, detail string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, ev := range e.all {
		if ev.Stage == stage && (detail == "" || ev.Detail == detail) {
			n++
		}
	}
	return n
}
