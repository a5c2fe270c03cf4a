package porttest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenMessengers names the rule that must catch each fault.
var brokenMessengers = map[string]string{
	"repeats a send whose answer was lost":  "CutAnswerMaybeDone",
	"calls a lost answer a plain failure":   "CutAnswerMaybeDone",
	"calls a lost answer a success":         "CutAnswerMaybeDone",
	"repeats a refused send":                "RefusalsHaveTheirKind",
	"forgets the kind of a refusal":         "RefusalsHaveTheirKind",
	"forgets whom a limit concerns":         "RefusalsHaveTheirKind",
	"forgets how long to wait":              "RefusalsHaveTheirKind",
	"writes the text into the error":        "RefusalsHaveTheirKind",
	"calls a refused clip invalid":          "RefusedClipIsAboutTheClip",
	"answers the first contact for ever":    "SendGoesToExactlyTheContact",
	"mixes up concurrent sends":             "SendMayBeCalledConcurrently",
	"gives every message the same id":       "SendAnswersWithTheMessagesID",
	"trims the text":                        "SendKeepsTheTextAsItIs",
	"forgets the reference":                 "SendCarriesQuoteAndReference",
	"sends what is invalid":                 "SendRefusesWhatIsInvalid",
	"sends after its context ended":         "EndedContextSendsNothing",
	"says nothing left when it was waiting": "CancelWhileWaitingMaybeDone",
	"takes a timeout for a cancellation":    "DeadlineWhileWaitingMaybeDone",
	"does not compare checksums":            "FetchMediaChecksTheChecksum",
	"does not look at the bytes":            "FetchMediaChecksTheMagicBytes",
	"has no size cap":                       "FetchMediaRefusesWhatIsTooLarge",
	"caps below the limit":                  "FetchMediaRefusesWhatIsTooLarge",
	"calls a missing object an outage":      "FetchMediaDoesNotFindWhatIsGone",
	"shares one buffer among downloads":     "FetchMediaMayBeCalledConcurrently",
	"always shows typing":                   "MarkReadReachesTheNetwork",
	"forgets an upload after one send":      "UploadTwiceYieldsTwoIDs",
	"uploads anything":                      "UploadRefusesWhatIsInvalid",
}

func TestMessengerSuiteRejects(t *testing.T) {
	rejects(t, brokenMessengers, func(t *testing.T, fault string) {
		porttest.TestMessenger(t, porttest.MessengerHarness{New: func(*testing.T) porttest.MessengerNetwork { return newTinyNetwork(fault) }})
	})
}

// TestMessengerSuiteAccepts is the control: the same messenger without a fault.
func TestMessengerSuiteAccepts(t *testing.T) {
	porttest.TestMessenger(t, porttest.MessengerHarness{New: func(*testing.T) porttest.MessengerNetwork { return newTinyNetwork("") }})
}

const tinyLimit = 200 << 10

// tiny is the smallest messenger that keeps every rule, with a place for each fault.
type tiny struct {
	fault string

	mu       sync.Mutex
	attempts int
	accepted []porttest.AcceptedMessage
	receipts []porttest.ReadReceipt
	media    map[domain.MediaID][]byte
	mimes    map[domain.MediaID]string
	next     *ports.Error
	cut      bool
	hang     chan struct{}
	first    domain.Contact
	buffer   []byte
	ids      int
}

func newTinyNetwork(fault string) porttest.MessengerNetwork {
	m := &tiny{fault: fault, media: map[domain.MediaID][]byte{}, mimes: map[domain.MediaID]string{}}
	refuse := func(e ports.Error) func() { return func() { m.next = &e } }
	return porttest.MessengerNetwork{
		Messenger: m, MediaLimit: tinyLimit,
		Accepted:      func() []porttest.AcceptedMessage { m.mu.Lock(); defer m.mu.Unlock(); return m.accepted },
		Attempts:      func() int { m.mu.Lock(); defer m.mu.Unlock(); return m.attempts },
		Receipts:      func() []porttest.ReadReceipt { return m.receipts },
		CutAnswer:     func() { m.cut = true },
		Deny:          refuse(ports.Error{Kind: ports.KindDenied, Scope: ports.ScopeAccount}),
		RateLimit:     refuse(ports.Error{Kind: ports.KindRateLimited, Scope: ports.ScopeNumber, RetryAfter: 1}),
		HoldRecipient: refuse(ports.Error{Kind: ports.KindRateLimited, Scope: ports.ScopeRecipient, RetryAfter: 1}),
		CloseWindow:   refuse(ports.Error{Kind: ports.KindBlocked, Scope: ports.ScopeWindow}),
		RejectMedia:   refuse(ports.Error{Kind: ports.KindUnsupported, Scope: ports.ScopeMedia}),
		Outage:        refuse(ports.Error{Kind: ports.KindTransient}),
		Hang:          func() <-chan struct{} { m.hang = make(chan struct{}); return m.hang },
		PutMedia: func(mime string, data []byte) domain.MediaRef {
			m.mu.Lock()
			defer m.mu.Unlock()
			sum := sha256.Sum256(data)
			return domain.MediaRef{ID: m.put(mime, data), MIME: mime, SHA256: hex.EncodeToString(sum[:])}
		},
		LoseMedia: func(ref domain.MediaRef) { delete(m.media, ref.ID) },
		CorruptMedia: func(ref domain.MediaRef) {
			data := bytes.Clone(m.media[ref.ID])
			data[len(data)-1]++
			m.media[ref.ID] = data
		},
	}
}

func (m *tiny) is(fault string) bool { return m.fault == fault }

func (m *tiny) put(mime string, data []byte) domain.MediaID {
	m.ids++
	id := domain.MediaID(fmt.Sprint(m.ids))
	m.media[id], m.mimes[id] = data, mime
	return id
}

func (m *tiny) fail(kind ports.Kind) *ports.Error {
	return &ports.Error{Op: "tiny", Kind: kind, Err: errors.New("no")}
}

func (m *tiny) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	if err := ports.FromContext(ctx, "tiny"); err != nil && !m.is("sends after its context ended") {
		return "", err
	}
	if (out.Validate() != nil || len(out.Ref.String()) > 512) && !m.is("sends what is invalid") {
		return "", m.fail(ports.KindInvalid)
	}
	if m.is("mixes up concurrent sends") {
		m.mu.Lock()
		m.first = out.To // one slot for all calls
		m.mu.Unlock()
		runtime.Gosched() // where a real one would wait for the network
	}
	text, _ := out.Content.(domain.OutboundText)
	voice, _ := out.Content.(domain.OutboundVoice)
	if !voice.Audio.Empty() {
		id, err := m.Upload(ctx, out.Number, voice.Audio)
		if err != nil {
			return "", err
		}
		voice.Media = id
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts++
	if e := m.next; e != nil {
		m.next = nil
		return "", m.refused(*e, text)
	}
	a := porttest.AcceptedMessage{Number: out.Number, To: out.To, Text: text.Body, Clip: m.media[voice.Media], ReplyTo: out.ReplyTo, Ref: out.Ref.String()}
	switch {
	case m.is("trims the text"):
		a.Text = string(bytes.TrimSpace([]byte(a.Text[:min(len(a.Text), 1000)])))
	case m.is("forgets the reference"):
		a.Ref = ""
	case m.is("answers the first contact for ever"):
		if len(m.accepted) > 0 {
			a.To = m.accepted[0].To
		}
	case m.is("mixes up concurrent sends"):
		a.To = m.first
	case m.is("forgets an upload after one send"):
		delete(m.media, voice.Media)
	}
	m.accepted = append(m.accepted, a)
	if m.hang != nil {
		return "", m.wait(ctx)
	}
	if m.cut {
		return m.lost(a)
	}
	m.ids++
	if m.is("gives every message the same id") {
		return "wamid.SAME", nil
	}
	return domain.MessageID(fmt.Sprint("wamid.", m.ids)), nil
}

func (m *tiny) refused(e ports.Error, text domain.OutboundText) error {
	e.Op, e.Err = "tiny", errors.New("no")
	switch {
	case m.is("repeats a refused send"):
		m.attempts++
	case m.is("forgets the kind of a refusal"):
		return errors.New("no")
	case m.is("forgets whom a limit concerns"):
		e.Scope = ports.ScopeNumber
	case m.is("forgets how long to wait"):
		e.RetryAfter = 0
	case m.is("writes the text into the error"):
		e.Err = fmt.Errorf("could not send %q", text.Body)
	case m.is("calls a refused clip invalid") && e.Scope == ports.ScopeMedia:
		e.Kind = ports.KindInvalid
	}
	return &e
}

// wait is a call without an answer. It leaves the lock to others meanwhile.
func (m *tiny) wait(ctx context.Context) error {
	reached := m.hang
	m.hang = nil
	m.mu.Unlock()
	defer m.mu.Lock()
	close(reached)
	<-ctx.Done()
	e := m.fail(ports.KindCanceled)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && !m.is("takes a timeout for a cancellation") {
		e.Kind = ports.KindTimeout
	}
	e.MaybeDone = !m.is("says nothing left when it was waiting")
	return e
}

func (m *tiny) lost(a porttest.AcceptedMessage) (domain.MessageID, error) {
	m.cut = false
	e := m.fail(ports.KindTransient)
	e.MaybeDone = true
	switch {
	case m.is("repeats a send whose answer was lost"):
		m.attempts++
		m.accepted = append(m.accepted, a)
	case m.is("calls a lost answer a plain failure"):
		e.MaybeDone = false
	case m.is("calls a lost answer a success"):
		return "wamid.GUESS", nil
	}
	return "", e
}

func (m *tiny) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	if err := ports.FromContext(ctx, "tiny"); err != nil {
		return domain.Media{}, err
	}
	m.mu.Lock()
	data, ok := m.media[ref.ID]
	mime := m.mimes[ref.ID]
	m.mu.Unlock()
	if !ok {
		if m.is("calls a missing object an outage") {
			return domain.Media{}, m.fail(ports.KindTransient)
		}
		return domain.Media{}, m.fail(ports.KindNotFound)
	}
	limit := tinyLimit
	if m.is("caps below the limit") {
		limit--
	}
	sum := sha256.Sum256(data)
	switch {
	case len(data) > limit && !m.is("has no size cap"),
		hex.EncodeToString(sum[:]) != ref.SHA256 && !m.is("does not compare checksums"),
		mime == domain.MIMEOggOpus && !bytes.HasPrefix(data, []byte("OggS")) && !m.is("does not look at the bytes"):
		return domain.Media{}, m.fail(ports.KindUnsupported)
	}
	if m.is("shares one buffer among downloads") {
		m.mu.Lock()
		m.buffer = append(m.buffer[:0], data...)
		data = m.buffer
		m.mu.Unlock()
	}
	return domain.Media{MIME: mime, Data: data}, nil
}

func (m *tiny) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	if err := ports.FromContext(ctx, "tiny"); err != nil {
		return err
	}
	m.receipts = append(m.receipts, porttest.ReadReceipt{Number: number, Message: message, Typing: typing || m.is("always shows typing")})
	return nil
}

func (m *tiny) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	if err := ports.FromContext(ctx, "tiny"); err != nil {
		return "", err
	}
	if !m.is("uploads anything") {
		if number == "" || clip.Empty() {
			return "", m.fail(ports.KindInvalid)
		}
		if clip.Type() != "audio/ogg" {
			e := m.fail(ports.KindUnsupported)
			e.Scope = ports.ScopeMedia
			return "", e
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(clip.MIME(), clip.Bytes()), nil
}
