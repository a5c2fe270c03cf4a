package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
)

// SignatureHeader is the header Meta signs its webhooks with (Meta, "Create a
// webhook endpoint").
const SignatureHeader = "X-Hub-Signature-256"

// signaturePrefix and 64 hex digits make the 71 characters of the header.
const signaturePrefix = "sha256="

// ErrSignature says that a webhook was not signed with a secret of ours. It says no
// more, on purpose.
var ErrSignature = errors.New("the webhook's signature is not valid")

// Verifier checks that a webhook comes from Meta. It is safe for concurrent use.
type Verifier struct{ secrets func() []string }

// NewVerifier makes a verifier. The function returns the app secrets in force, two
// of them while one is being replaced; it is asked at every check and must be safe
// for concurrent use. Empty secrets are passed over: a body signed with an empty
// key is signed by nobody.
func NewVerifier(secrets func() []string) (*Verifier, error) {
	if secrets == nil {
		return nil, errors.New("whatsapp: the function of app secrets is missing")
	}
	return &Verifier{secrets: secrets}, nil
}

// Verify checks the signature header against the body exactly as received, before anything
// else looks at it. It returns nil or ErrSignature, and takes the same time wherever
// a wrong signature differs and whichever secret is the right one.
func (v *Verifier) Verify(body []byte, header string) error {
	if len(header) != len(signaturePrefix)+hex.EncodedLen(sha256.Size) || header[:len(signaturePrefix)] != signaturePrefix {
		return ErrSignature
	}
	got, err := hex.DecodeString(header[len(signaturePrefix):])
	if err != nil {
		return ErrSignature
	}
	matches := 0
	for _, secret := range v.secrets() {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		matches |= subtle.ConstantTimeCompare(got, mac.Sum(nil))
	}
	if matches != 1 {
		return ErrSignature
	}
	return nil
}

// Sign makes the header of a body, as Meta does.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return signaturePrefix + hex.EncodeToString(mac.Sum(nil))
}

// VerifyToken compares the token of the GET handshake with ours in a time that tells
// nothing about ours, not even its length. An empty token of ours never matches.
func VerifyToken(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1 && want != ""
}
