package whatsapp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports/porttest"
)

func TestMessengerContract(t *testing.T) {
	porttest.TestMessenger(t, porttest.MessengerHarness{New: func(t *testing.T) porttest.MessengerNetwork {
		s := newGraphServer(t)
		return porttest.MessengerNetwork{
			Messenger: s.messenger(nil), MediaLimit: mediaLimit,
			Accepted: s.accepted, Receipts: s.readReceipts,
			Attempts: func() (n int) { s.locked(func() { n = s.attempts }); return n },
			CutAnswer: func() {
				s.locked(func() {
					s.nextSend = func(w http.ResponseWriter, _ map[string]any) bool { cut(w); return true }
				})
			},
			Hang:          s.hang,
			Deny:          s.refuseNext(401, 190),
			RateLimit:     s.refuseNext(400, 130429),
			HoldRecipient: s.refuseNext(400, 131056),
			CloseWindow:   s.refuseNext(400, 131047),
			RejectMedia:   s.refuseNext(400, 131053),
			Outage:        s.refuseNext(503, 131016),
			PutMedia:      s.putMedia,
			LoseMedia:     func(ref domain.MediaRef) { s.locked(func() { delete(s.media, string(ref.ID)) }) },
			CorruptMedia: func(ref domain.MediaRef) {
				s.locked(func() {
					m := s.media[string(ref.ID)]
					m.data = append([]byte(nil), m.data...)
					m.data[len(m.data)-1] ^= 0xff
				})
			},
		}
	}})
}

// hang takes the next send, tells so, and leaves it unanswered until its caller goes.
func (s *graphServer) hang() <-chan struct{} {
	reached := make(chan struct{})
	s.locked(func() {
		s.nextSend = func(w http.ResponseWriter, body map[string]any) bool {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return false
			}
			s.t.Cleanup(func() { _ = conn.Close() })
			_ = rw
			// The lock is held here: whoever sees the channel closed and then asks
			// what was accepted finds the message.
			close(reached)
			return true
		}
	})
	return reached
}

func (s *graphServer) accepted() (out []porttest.AcceptedMessage) {
	s.locked(func() {
		for _, body := range s.sends {
			m := porttest.AcceptedMessage{Number: domain.NumberID(body["phone_number_id"].(string)), To: s.recipient(body)}
			if text, ok := body["text"].(map[string]any); ok {
				m.Text = text["body"].(string)
			}
			if audio, ok := body["audio"].(map[string]any); ok {
				m.Clip = s.media[audio["id"].(string)].data
			}
			if quoted, ok := body["context"].(map[string]any); ok {
				m.ReplyTo = domain.MessageID(quoted["message_id"].(string))
			}
			m.Ref, _ = body["biz_opaque_callback_data"].(string)
			out = append(out, m)
		}
	})
	return out
}

// recipient reads whom Meta would take the message to. Without "+" it would go to
// somebody else in our own country.
func (s *graphServer) recipient(body map[string]any) (c domain.Contact) {
	if to, ok := body["to"].(string); ok {
		phone, plus := strings.CutPrefix(to, "+")
		if !plus {
			phone = "1" + phone
		}
		c.Phone = domain.Phone(phone)
	}
	if id, ok := body["recipient"].(string); ok {
		c.UserID = domain.UserID(id)
	}
	return c
}

func (s *graphServer) readReceipts() (out []porttest.ReadReceipt) {
	s.locked(func() {
		for _, body := range s.receipts {
			indicator, typing := body["typing_indicator"].(map[string]any)
			if typing && fmt.Sprint(indicator) != "map[type:text]" {
				s.t.Errorf("the typing indicator is %v", indicator)
			}
			out = append(out, porttest.ReadReceipt{
				Number:  domain.NumberID(body["phone_number_id"].(string)),
				Message: domain.MessageID(body["message_id"].(string)), Typing: typing,
			})
		}
	})
	return out
}
