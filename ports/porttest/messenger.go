package porttest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// MessengerHarness makes messengers for TestMessenger.
type MessengerHarness struct {
	// New makes a messenger with a network of its own behind it. It registers what
	// must be cleaned up with t.
	New func(t *testing.T) MessengerNetwork
	// Wrap runs one case, for example inside testing/synctest; nil calls it plainly.
	Wrap func(t *testing.T, run func(t *testing.T))
}

// MessengerNetwork is a messenger and the network it talks to, as seen from the
// network's side. Messenger, Accepted and Attempts are required; any other function
// may be nil, which skips the cases that need it. The functions of failures each
// concern the next send only.
type MessengerNetwork struct {
	Messenger ports.MessengerPort
	// Accepted lists the messages the network took, in order.
	Accepted func() []AcceptedMessage
	// Attempts counts the sends that reached the network, refused ones too.
	Attempts func() int

	CutAnswer     func() // the network takes the message, and its answer is lost
	Deny          func() // the credentials are refused
	RateLimit     func() // too much at once, come back in some time
	HoldRecipient func() // too much to this recipient
	CloseWindow   func() // no free text to this person now
	RejectMedia   func() // the clip of a voice note is refused
	Outage        func() // the network says that it is out of order
	// Hang makes the network take the message and not answer while the call lives.
	// The channel is closed when the network has the message.
	Hang func() (reached <-chan struct{})

	// PutMedia stores what a user sent; the reference has its checksum.
	PutMedia func(mime string, data []byte) domain.MediaRef
	// LoseMedia removes it again.
	LoseMedia func(ref domain.MediaRef)
	// CorruptMedia changes a byte of it, and not what is said of its checksum.
	CorruptMedia func(ref domain.MediaRef)
	// MediaLimit is the largest object FetchMedia takes, in bytes; zero skips.
	MediaLimit int

	// Receipts lists the read receipts the network took, in order.
	Receipts func() []ReadReceipt
}

// AcceptedMessage is one message as the network understood it.
type AcceptedMessage struct {
	Number domain.NumberID
	// To holds how the recipient was named: the phone number without "+", or the
	// user id, or both.
	To      domain.Contact
	Text    string // of a text
	Clip    []byte // of a voice note
	ReplyTo domain.MessageID
	Ref     string
}

// ReadReceipt is one read receipt.
type ReadReceipt struct {
	Number  domain.NumberID
	Message domain.MessageID
	Typing  bool
}

// TestMessenger checks what ports.MessengerPort, ports.ReadMarker and
// ports.MediaUploader promise.
func TestMessenger(t *testing.T, h MessengerHarness) {
	for _, group := range [][]messengerCase{sendCases, failureCases, fetchCases, abilityCases} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				run := func(t *testing.T) { c.run(t, h.New(t)) }
				if h.Wrap != nil {
					h.Wrap(t, run)
					return
				}
				run(t)
			})
		}
	}
}

type messengerCase struct {
	name string
	run  func(t *testing.T, n MessengerNetwork)
}

// needNetwork skips the case when the harness lacks a function.
func needNetwork(t *testing.T, has bool, what string) {
	t.Helper()
	if !has {
		t.Skipf("the harness cannot %s", what)
	}
}

const messengerNumber = domain.NumberID("106500000000001")

// messengerSecret must not appear in any error.
const messengerSecret = "the code of the safe is 4711"

func textTo(to domain.Contact, body string) domain.Outbound {
	return domain.Outbound{
		Number: messengerNumber, To: to, Content: domain.OutboundText{Body: body},
		Ref: domain.PartRef{Conversation: "conv1", Turn: "turn1", Part: 0, Attempt: 1},
	}
}

func voiceTo(t *testing.T, to domain.Contact) domain.Outbound {
	t.Helper()
	out := textTo(to, "")
	out.Content = domain.OutboundVoice{Audio: VoiceClip(t)}
	return out
}

var messengerContact = domain.Contact{UserID: "ES.13491208655302740001", Phone: "34600111222", Name: "Ana Ruiz"}

// VoiceClip is a short clip with the head of a mono Opus stream in Ogg: enough for
// whoever looks at the head, but there is no sound in it.
func VoiceClip(t *testing.T) domain.Audio {
	t.Helper()
	head := "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00" // one channel, 48 kHz
	page := "OggS\x00\x02" + strings.Repeat("\x00", 8) + "wxyz" + strings.Repeat("\x00", 8) + "\x01" + string(rune(len(head))) + head
	clip, err := domain.NewAudio(domain.MIMEOggOpus, []byte(page), 0)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// checkDiscreet demands that an error tells nothing about people and messages.
func checkDiscreet(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{messengerSecret, string(messengerContact.Phone), string(messengerContact.UserID), messengerContact.Name} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells what must stay private: %v", err)
		}
	}
}

// wantSendKind demands an error of a kind.
func wantSendKind(t *testing.T, err error, want ports.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want kind %q", want)
	}
	checkDiscreet(t, err)
	if got := ports.KindOf(err); got != want {
		t.Fatalf("got kind %q, want %q: %v", got, want, err)
	}
}

// checkTraffic demands that the network saw so many sends and took so many.
func checkTraffic(t *testing.T, n MessengerNetwork, attempts, accepted int) {
	t.Helper()
	if got := n.Attempts(); got != attempts {
		t.Errorf("the network saw %d sends, want %d", got, attempts)
	}
	if got := len(n.Accepted()); got != accepted {
		t.Errorf("the network took %d messages, want %d", got, accepted)
	}
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
