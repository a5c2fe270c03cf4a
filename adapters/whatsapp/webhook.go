package whatsapp

import (
	"errors"

	"whatsappnode/domain"
)

// Webhook joins everything a web server must know about Meta's webhooks. It is safe
// for concurrent use.
type Webhook struct {
	*Verifier
	token func() string
}

// NewWebhook takes the app secrets, as NewVerifier does, and the token that was
// chosen for the GET handshake; both are asked each time.
func NewWebhook(secrets func() []string, token func() string) (*Webhook, error) {
	v, err := NewVerifier(secrets)
	if err != nil {
		return nil, err
	}
	if token == nil {
		return nil, errors.New("whatsapp: the function of the verify token is missing")
	}
	return &Webhook{Verifier: v, token: token}, nil
}

// Token reports whether a handshake carries the right token; see VerifyToken.
func (w *Webhook) Token(given string) bool { return VerifyToken(given, w.token()) }

// Decode is the function Decode.
func (w *Webhook) Decode(raw []byte) (domain.Envelope, error) { return Decode(raw) }
