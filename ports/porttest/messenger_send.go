package porttest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var sendCases = []messengerCase{
	{"SendAnswersWithTheMessagesID", sendAnswersWithTheID},
	{"SendGoesToExactlyTheContact", sendGoesToTheContact},
	{"SendKeepsTheTextAsItIs", sendKeepsTheText},
	{"SendCarriesQuoteAndReference", sendCarriesQuoteAndReference},
	{"SendTakesAClip", sendTakesAClip},
	{"SendRefusesWhatIsInvalid", sendRefusesWhatIsInvalid},
	{"SendMayBeCalledConcurrently", sendConcurrently},
}

func sendAnswersWithTheID(t *testing.T, n MessengerNetwork) {
	seen := map[domain.MessageID]bool{}
	for i := range 3 {
		id, err := n.Messenger.Send(t.Context(), textTo(messengerContact, fmt.Sprint("message ", i)))
		if err != nil {
			t.Fatal(err)
		}
		if id == "" || seen[id] {
			t.Errorf("the id %q is empty or was given before", id)
		}
		seen[id] = true
	}
	checkTraffic(t, n, 3, 3)
}

func sendGoesToTheContact(t *testing.T, n MessengerNetwork) {
	contacts := []domain.Contact{
		{Phone: "34600111222"},
		{Phone: "4670000001", Name: "Bo"},
		{UserID: "SE.2"},
		{UserID: "US.13491208655302741918", Phone: "12025550123"},
		{Phone: "34600111222"},
	}
	for _, to := range contacts {
		if _, err := n.Messenger.Send(t.Context(), textTo(to, "hello")); err != nil {
			t.Fatal(err)
		}
	}
	got := n.Accepted()
	if len(got) != len(contacts) {
		t.Fatalf("the network took %d messages, want %d", len(got), len(contacts))
	}
	for i, to := range contacts {
		if !namesContact(got[i].To, to) {
			t.Errorf("message %d went to somebody else", i)
		}
		if got[i].Number != messengerNumber {
			t.Errorf("message %d left from number %q, want %q", i, got[i].Number, messengerNumber)
		}
	}
}

// namesContact reports whether a recipient, as the network was told, is the contact.
func namesContact(told, want domain.Contact) bool {
	return told.Validate() == nil &&
		(told.Phone == "" || told.Phone == want.Phone) && (told.UserID == "" || told.UserID == want.UserID)
}

func sendKeepsTheText(t *testing.T, n MessengerNetwork) {
	bodies := []string{
		"hello", "two\nlines\n\nand a gap", `quotes " \ and <tags> & more`, "ünïcödé 日本語 العربية 👩‍👩‍👧‍👦",
		strings.Repeat("a", domain.MaxTextUnits),
	}
	for _, body := range bodies {
		if _, err := n.Messenger.Send(t.Context(), textTo(messengerContact, body)); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range n.Accepted() {
		if m.Text != bodies[i] {
			t.Errorf("text %d was changed on its way", i)
		}
	}
}

func sendCarriesQuoteAndReference(t *testing.T, n MessengerNetwork) {
	out := textTo(messengerContact, "hello")
	out.ReplyTo = "wamid.QUOTED"
	if _, err := n.Messenger.Send(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Messenger.Send(t.Context(), textTo(messengerContact, "hello")); err != nil {
		t.Fatal(err)
	}
	got := n.Accepted()
	if got[0].ReplyTo != out.ReplyTo || got[1].ReplyTo != "" {
		t.Errorf("the quotes are %q and %q, want %q and none", got[0].ReplyTo, got[1].ReplyTo, out.ReplyTo)
	}
	if got[0].Ref != out.Ref.String() {
		t.Errorf("the reference is %q, want %q", got[0].Ref, out.Ref)
	}
}

func sendTakesAClip(t *testing.T, n MessengerNetwork) {
	if _, err := n.Messenger.Send(t.Context(), voiceTo(t, messengerContact)); err != nil {
		t.Fatal(err)
	}
	got := n.Accepted()
	if len(got) != 1 || got[0].Text != "" || !bytes.Equal(got[0].Clip, VoiceClip(t).Bytes()) {
		t.Error("the voice note did not arrive as it was")
	}
}

func sendRefusesWhatIsInvalid(t *testing.T, n MessengerNetwork) {
	long := strings.Repeat("long/", 200) // an encoded reference over 512 characters
	for name, spoil := range map[string]func(*domain.Outbound){
		"no business number": func(o *domain.Outbound) { o.Number = "" },
		"nobody":             func(o *domain.Outbound) { o.To = domain.Contact{Name: "Ana Ruiz"} },
		"no content":         func(o *domain.Outbound) { o.Content = nil },
		"no text":            func(o *domain.Outbound) { o.Content = domain.OutboundText{Body: " \n"} },
		"text too long": func(o *domain.Outbound) {
			o.Content = domain.OutboundText{Body: strings.Repeat("a", domain.MaxTextUnits+1)}
		},
		"no clip": func(o *domain.Outbound) { o.Content = domain.OutboundVoice{} },
		"clip and media id": func(o *domain.Outbound) {
			o.Content = domain.OutboundVoice{Media: "1", Audio: VoiceClip(t)}
		},
		"reference too long": func(o *domain.Outbound) { o.Ref.Turn = domain.TurnID(long) },
	} {
		out := textTo(messengerContact, messengerSecret)
		spoil(&out)
		id, err := n.Messenger.Send(t.Context(), out)
		if err == nil {
			t.Errorf("%s: got no error", name)
			continue
		}
		checkDiscreet(t, err)
		if kind := ports.KindOf(err); kind != ports.KindInvalid || ports.MaybeDone(err) || id != "" {
			t.Errorf("%s: got id %q, kind %q, MaybeDone %t; want %q and nothing sent", name, id, kind, ports.MaybeDone(err), ports.KindInvalid)
		}
	}
	checkTraffic(t, n, 0, 0)
}

// sendConcurrently starts all sends at once behind a barrier: what two of them
// share shows under the race detector, or in a text that went to somebody else.
func sendConcurrently(t *testing.T, n MessengerNetwork) {
	const senders, each = 8, 4
	var (
		start = make(chan struct{})
		wg    sync.WaitGroup
		mu    sync.Mutex
		ids   = map[domain.MessageID]bool{}
	)
	for i := range senders {
		to := domain.Contact{Phone: domain.Phone(fmt.Sprintf("3460000%04d", i))}
		wg.Go(func() {
			<-start
			for range each {
				id, err := n.Messenger.Send(t.Context(), textTo(to, "for "+string(to.Phone)))
				if err != nil {
					t.Errorf("a concurrent send failed: %v", err)
					return
				}
				mu.Lock()
				ids[id] = true
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	for _, m := range n.Accepted() {
		if m.Text != "for "+string(m.To.Phone) {
			t.Error("a message went to somebody else's chat")
		}
	}
	if len(ids) != senders*each {
		t.Errorf("%d messages have %d ids", senders*each, len(ids))
	}
	checkTraffic(t, n, senders*each, senders*each)
}
