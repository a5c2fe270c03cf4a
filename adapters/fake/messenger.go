package fake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var (
	_ ports.MessengerPort = (*Messenger)(nil)
	_ ports.ReadMarker    = (*Messenger)(nil)
	_ ports.MediaUploader = (*Messenger)(nil)
)

// Messenger is a messaging network in memory: it keeps what is sent, serves media
// that a test put there, and fails on demand. It waits by package time only, so
// that in a testing/synctest bubble latency costs nothing. It owns no goroutine. The
// zero value is not usable; all methods are safe for concurrent use.
type Messenger struct {
	limit int

	mu       sync.Mutex
	latency  time.Duration
	failures []error // of the next sends, in order; nil lets one through
	uploads  []error // likewise of uploads
	fetches  []error // likewise of downloads
	cuts     int
	hangs    []chan struct{}
	attempts int
	sends    []Sent
	reads    []Read
	media    map[domain.MediaID]storedMedia
	nextID   int
}

// Sent is one message the network took.
type Sent struct {
	ID       domain.MessageID
	Outbound domain.Outbound
	// Clip is the sound of a voice note, whichever way it was sent.
	Clip domain.Audio
	At   time.Time
}

// Read is one read receipt the network took.
type Read struct {
	Number  domain.NumberID
	Message domain.MessageID
	Typing  bool
	At      time.Time
}

type storedMedia struct {
	mime string
	data []byte
	sum  string // of the data as it was put
	clip domain.Audio
}

// DefaultMediaLimit is the largest object FetchMedia of a fake takes, in bytes.
const DefaultMediaLimit = 16 << 20

// NewMessenger makes a network that works. A limit of zero is DefaultMediaLimit.
func NewMessenger(mediaLimit int) *Messenger {
	if mediaLimit <= 0 {
		mediaLimit = DefaultMediaLimit
	}
	return &Messenger{limit: mediaLimit, media: map[domain.MediaID]storedMedia{}}
}

// SetLatency makes every call take so long. A send whose context ends meanwhile was
// under way, and in truth never arrived.
func (m *Messenger) SetLatency(d time.Duration) {
	m.change(func() { m.latency = d })
}

// FailSends queues an error for each of the next sends; nil lets one through.
func (m *Messenger) FailSends(errs ...error) {
	m.change(func() { m.failures = append(m.failures, errs...) })
}

// FailUploads does the same for uploads.
func (m *Messenger) FailUploads(errs ...error) {
	m.change(func() { m.uploads = append(m.uploads, errs...) })
}

// FailFetches does the same for downloads.
func (m *Messenger) FailFetches(errs ...error) {
	m.change(func() { m.fetches = append(m.fetches, errs...) })
}

// CutAnswers makes the network take the next n messages and lose its answers.
func (m *Messenger) CutAnswers(n int) {
	m.change(func() { m.cuts += n })
}

// HangNext makes the network take the next message and never answer. The channel is
// closed when it has the message.
func (m *Messenger) HangNext() <-chan struct{} {
	reached := make(chan struct{})
	m.change(func() { m.hangs = append(m.hangs, reached) })
	return reached
}

// PutMedia stores what a user is said to have sent.
func (m *Messenger) PutMedia(number domain.NumberID, mime string, data []byte) domain.MediaRef {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := sha256.Sum256(data)
	item := storedMedia{mime: mime, data: bytes.Clone(data), sum: hex.EncodeToString(sum[:])}
	return domain.MediaRef{ID: m.store(item), Number: number, MIME: mime, SHA256: item.sum}
}

// LoseMedia removes it, as its expiry does.
func (m *Messenger) LoseMedia(id domain.MediaID) {
	m.change(func() { delete(m.media, id) })
}

// CorruptMedia changes its last byte.
func (m *Messenger) CorruptMedia(id domain.MediaID) {
	m.change(func() {
		if item, ok := m.media[id]; ok && len(item.data) > 0 {
			item.data = bytes.Clone(item.data)
			item.data[len(item.data)-1] ^= 0xff
			m.media[id] = item
		}
	})
}

// Sends lists the messages the network took, in order.
func (m *Messenger) Sends() []Sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sends)
}

// Reads lists the read receipts, in order.
func (m *Messenger) Reads() []Read {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reads)
}

// Attempts counts the valid sends that were tried, failed ones too.
func (m *Messenger) Attempts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.attempts
}

func (m *Messenger) change(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

// store keeps media under a new id. The caller holds the lock.
func (m *Messenger) store(item storedMedia) domain.MediaID {
	m.nextID++
	id := domain.MediaID(fmt.Sprintf("1%015d", m.nextID))
	m.media[id] = item
	return id
}

// Send implements ports.MessengerPort.
func (m *Messenger) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	const op = "fake.send"
	if err := ports.FromContext(ctx, op); err != nil {
		return "", err
	}
	err := out.Validate()
	if err == nil && domain.TextUnits(out.Ref.String()) > 512 {
		err = errors.New("the reference of the part is over 512 characters")
	}
	if err != nil {
		return "", &ports.Error{Op: op, Kind: ports.KindInvalid, Err: err}
	}
	voice, isVoice := out.Content.(domain.OutboundVoice)
	if isVoice && voice.Media == "" {
		if voice.Media, err = m.Upload(ctx, out.Number, voice.Audio); err != nil {
			return "", err
		}
	}
	if err := m.pause(ctx, op, true); err != nil {
		return "", err
	}
	id, reached, err := m.take(op, out, voice.Media, isVoice)
	if reached != nil {
		close(reached)
		<-ctx.Done()
		return "", maybeDone(ports.FromContext(ctx, op))
	}
	return id, err
}

// take is what the network does with a message that arrived.
func (m *Messenger) take(op string, out domain.Outbound, media domain.MediaID, isVoice bool) (domain.MessageID, chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts++
	if err := pop(&m.failures); err != nil {
		return "", nil, err
	}
	sent := Sent{Outbound: out, At: time.Now()}
	if isVoice {
		item, ok := m.media[media]
		if !ok {
			return "", nil, &ports.Error{Op: op, Kind: ports.KindUnsupported, Scope: ports.ScopeMedia, Err: errors.New("there is no such media")}
		}
		sent.Clip = item.clip
	}
	m.nextID++
	sent.ID = domain.MessageID(fmt.Sprintf("wamid.FAKE%d", m.nextID))
	m.sends = append(m.sends, sent)
	if len(m.hangs) > 0 {
		reached := m.hangs[0]
		m.hangs = m.hangs[1:]
		return "", reached, nil
	}
	if m.cuts > 0 {
		m.cuts--
		return "", nil, &ports.Error{Op: op, Kind: ports.KindTransient, MaybeDone: true, Err: errors.New("the connection ended before the answer did")}
	}
	return sent.ID, nil, nil
}

// FetchMedia implements ports.MessengerPort.
func (m *Messenger) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	const op = "fake.fetch_media"
	if err := m.pause(ctx, op, false); err != nil {
		return domain.Media{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := pop(&m.fetches); err != nil {
		return domain.Media{}, err
	}
	item, ok := m.media[ref.ID]
	if !ok {
		return domain.Media{}, &ports.Error{Op: op, Kind: ports.KindNotFound, Err: errors.New("there is no such media")}
	}
	sum := sha256.Sum256(item.data)
	got := hex.EncodeToString(sum[:])
	why := ""
	switch {
	case len(item.data) > m.limit:
		why = "the object is larger than the limit"
	case got != item.sum, ref.SHA256 != "" && got != ref.SHA256:
		why = "the checksum does not match"
	case strings.HasPrefix(item.mime, "audio/ogg") && !bytes.HasPrefix(item.data, []byte("OggS")):
		why = "the bytes contradict the type" // the one type that matters here
	default:
		return domain.Media{MIME: item.mime, Data: bytes.Clone(item.data)}, nil
	}
	return domain.Media{}, &ports.Error{Op: op, Kind: ports.KindUnsupported, Scope: ports.ScopeMedia, Err: errors.New(why)}
}

// MarkRead implements ports.ReadMarker.
func (m *Messenger) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	const op = "fake.mark_read"
	if err := m.pause(ctx, op, false); err != nil {
		return err
	}
	if number == "" || message == "" {
		return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("a receipt needs a business number and a message")}
	}
	m.change(func() { m.reads = append(m.reads, Read{number, message, typing, time.Now()}) })
	return nil
}

// Upload implements ports.MediaUploader.
func (m *Messenger) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	const op = "fake.upload"
	switch {
	case number == "" || clip.Empty():
		return "", &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("an upload needs a business number and a clip")}
	case clip.Type() != "audio/ogg" || !bytes.HasPrefix(clip.Bytes(), []byte("OggS")):
		return "", &ports.Error{Op: op, Kind: ports.KindUnsupported, Scope: ports.ScopeMedia, Err: errors.New("a voice note must be an Ogg file")}
	}
	if err := m.pause(ctx, op, false); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := pop(&m.uploads); err != nil {
		return "", err
	}
	sum := sha256.Sum256(clip.Bytes())
	return m.store(storedMedia{mime: clip.MIME(), data: clip.Bytes(), sum: hex.EncodeToString(sum[:]), clip: clip}), nil
}

// pause lets the latency pass. It returns the end of ctx, which leaves the outcome
// of a send open.
func (m *Messenger) pause(ctx context.Context, op string, send bool) error {
	if err := ports.FromContext(ctx, op); err != nil {
		return err
	}
	m.mu.Lock()
	d := m.latency
	m.mu.Unlock()
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		err := ports.FromContext(ctx, op)
		if send {
			err = maybeDone(err)
		}
		return err
	}
}

func maybeDone(err error) error {
	var e *ports.Error
	if errors.As(err, &e) {
		e.MaybeDone = true
	}
	return err
}

// pop takes the next error off a queue; nil when it is empty.
func pop(queue *[]error) error {
	if len(*queue) == 0 {
		return nil
	}
	err := (*queue)[0]
	*queue = (*queue)[1:]
	return err
}
