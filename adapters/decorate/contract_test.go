package decorate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func TestMessengerContract(t *testing.T) {
	const limit = 1 << 20
	refuse := func(m *fake.Messenger, e ports.Error) func() {
		return func() {
			e.Op, e.Err = "fake.send", errors.New("refused on demand")
			m.FailSends(&e)
		}
	}
	porttest.TestMessenger(t, porttest.MessengerHarness{
		Wrap: func(t *testing.T, run func(t *testing.T)) { synctest.Test(t, run) },
		New: func(*testing.T) porttest.MessengerNetwork {
			m := fake.NewMessenger(limit)
			m.SetLatency(time.Millisecond)
			// The cases send on after a refusal, which leaves an empty bucket behind.
			limits := decorate.Limits{RecipientEvery: 10 * time.Millisecond}
			return porttest.MessengerNetwork{
				Messenger: decorate.Paced(m, fake.NewStore(fake.StoreOptions{}), limits), Attempts: m.Attempts, MediaLimit: limit,
				Accepted:      func() []porttest.AcceptedMessage { return accepted(m) },
				Receipts:      func() []porttest.ReadReceipt { return receipts(m) },
				CutAnswer:     func() { m.CutAnswers(1) },
				Hang:          m.HangNext,
				Deny:          refuse(m, ports.Error{Kind: ports.KindDenied, Scope: ports.ScopeAccount}),
				RateLimit:     refuse(m, ports.Error{Kind: ports.KindRateLimited, Scope: ports.ScopeNumber, RetryAfter: time.Second}),
				HoldRecipient: refuse(m, ports.Error{Kind: ports.KindRateLimited, Scope: ports.ScopeRecipient, RetryAfter: time.Second}),
				CloseWindow:   refuse(m, ports.Error{Kind: ports.KindBlocked, Scope: ports.ScopeWindow}),
				RejectMedia:   refuse(m, ports.Error{Kind: ports.KindUnsupported, Scope: ports.ScopeMedia}),
				Outage:        refuse(m, ports.Error{Kind: ports.KindTransient}),
				PutMedia:      func(mime string, data []byte) domain.MediaRef { return m.PutMedia("106500000000001", mime, data) },
				LoseMedia:     func(ref domain.MediaRef) { m.LoseMedia(ref.ID) },
				CorruptMedia:  func(ref domain.MediaRef) { m.CorruptMedia(ref.ID) },
			}
		},
	})
}

func accepted(m *fake.Messenger) (out []porttest.AcceptedMessage) {
	for _, s := range m.Sends() {
		a := porttest.AcceptedMessage{
			Number: s.Outbound.Number, To: s.Outbound.To, Clip: s.Clip.Bytes(),
			ReplyTo: s.Outbound.ReplyTo, Ref: s.Outbound.Ref.String(),
		}
		if text, ok := s.Outbound.Content.(domain.OutboundText); ok {
			a.Text = text.Body
		}
		out = append(out, a)
	}
	return out
}

func receipts(m *fake.Messenger) (out []porttest.ReadReceipt) {
	for _, r := range m.Reads() {
		out = append(out, porttest.ReadReceipt{Number: r.Number, Message: r.Message, Typing: r.Typing})
	}
	return out
}
