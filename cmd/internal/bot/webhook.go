package bot

import (
	"crypto/sha256"
	"errors"
	"sync"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
)

// newWebhook is what the listener knows of Meta's webhooks: those of one account, or
// those of every app in an agents file.
func newWebhook(all agents) (echohttp.Webhook, error) {
	if len(all) == 1 && all[0].number == "" {
		return whatsapp.NewWebhook(appSecrets(all[0]), all[0].verifyToken.Current)
	}
	return newDoor(all)
}

// appSecrets are those in force: two while one replaces the other.
func appSecrets(a agent) func() []string {
	return func() []string {
		var out []string
		for _, s := range a.appSecret.Secrets() {
			out = append(out, s.Reveal())
		}
		return out
	}
}

// door takes the webhooks of several apps at one address. Each is signed by one app
// and may tell of many numbers; what it tells of a number that belongs to another app
// is set aside, so that who holds one app's secret cannot speak for the customers of
// another. What it tells of a number nobody named is set aside as well. Meta gets its
// 200 for both: it would deliver the same again for days, and two apps may well be
// subscribed to one account.
type door struct {
	apps    []*whatsapp.Verifier
	owner   map[domain.NumberID]int // index of the number's app
	tokens  []func() string
	mu      sync.Mutex
	signers map[[sha256.Size]byte]*signers
}

// signers are the apps that signed a body, between its verification and its
// decoding. They belong to the content: whoever delivered it, these apps said it.
type signers struct {
	by     []bool
	awaits int // requests that will decode it
}

// Reasons of domain.OtherEvent for what is set aside here.
const (
	reasonUnknownNumber = "unknown_number" // the agents file does not name it
	reasonForeignNumber = "foreign_number" // it belongs to an app that did not sign
)

func newDoor(all agents) (*door, error) {
	d := &door{owner: map[domain.NumberID]int{}, signers: map[[sha256.Size]byte]*signers{}}
	apps := map[string]int{}
	for _, a := range all {
		if _, known := apps[a.appName]; !known {
			v, err := whatsapp.NewVerifier(appSecrets(a))
			if err != nil {
				return nil, err
			}
			apps[a.appName] = len(d.apps)
			d.apps = append(d.apps, v)
		}
		d.owner[a.number] = apps[a.appName]
		d.tokens = append(d.tokens, a.verifyToken.Current)
	}
	return d, nil
}

// Verify implements echohttp.Webhook. Every app's secrets are tried, whichever is
// the right one, so that the time tells nothing.
func (d *door) Verify(raw []byte, signature string) error {
	by, signed := make([]bool, len(d.apps)), false
	for i, app := range d.apps {
		by[i] = app.Verify(raw, signature) == nil
		signed = signed || by[i]
	}
	if !signed {
		return whatsapp.ErrSignature
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := sha256.Sum256(raw)
	s := d.signers[key]
	if s == nil {
		s = &signers{by: make([]bool, len(d.apps))}
		d.signers[key] = s
	}
	s.awaits++
	for i := range by {
		s.by[i] = s.by[i] || by[i]
	}
	return nil
}

var errNotVerified = errors.New("the webhook was not verified")

// signedBy takes what Verify found of a body.
func (d *door) signedBy(raw []byte) ([]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := sha256.Sum256(raw)
	s := d.signers[key]
	if s == nil {
		return nil, errNotVerified
	}
	if s.awaits--; s.awaits == 0 {
		delete(d.signers, key)
	}
	return append([]bool(nil), s.by...), nil
}

// Decode implements echohttp.Webhook. It is called once for each success of Verify.
func (d *door) Decode(raw []byte) (domain.Envelope, error) {
	by, err := d.signedBy(raw)
	if err != nil {
		return domain.Envelope{}, err
	}
	all, err := whatsapp.Decode(raw)
	if err != nil {
		return domain.Envelope{}, err
	}
	out := domain.Envelope{Others: all.Others}
	ours := func(number domain.NumberID) bool {
		app, known := d.owner[number]
		switch {
		case !known:
			out.Others = append(out.Others, domain.OtherEvent{Field: "messages", Reason: reasonUnknownNumber})
		case !by[app]:
			out.Others = append(out.Others, domain.OtherEvent{Field: "messages", Reason: reasonForeignNumber})
		default:
			return true
		}
		return false
	}
	for _, m := range all.Messages {
		if ours(m.Number) {
			out.Messages = append(out.Messages, m)
		}
	}
	for _, s := range all.Statuses {
		if ours(s.Number) {
			out.Statuses = append(out.Statuses, s)
		}
	}
	return out, nil
}

// Token implements echohttp.Webhook: the word of any number opens, and all are tried.
func (d *door) Token(given string) bool {
	right := false
	for _, token := range d.tokens {
		right = whatsapp.VerifyToken(given, token()) || right
	}
	return right
}
