// Package handoff tells a receiver by a signed webhook that a person asked for a human.
// It implements ports.HandoffPort.
package handoff

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"whatsappnode/adapters/baseurl"
	"whatsappnode/adapters/httpstatus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	// Timeout bounds one call, connecting included.
	Timeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer, whose words nobody needs: only so that
	// the connection can be used again.
	maxAnswer = 4 << 10

	// The headers of a request. The signature is "v1=" and the hexadecimal HMAC-SHA256 of
	// the timestamp, a full stop and the body; the timestamp is in Unix seconds.
	HeaderTimestamp = "X-Webhook-Timestamp"
	HeaderSignature = "X-Webhook-Signature"

	op = "handoff.request"
)

// Webhook sends hand-offs to one address.
type Webhook struct {
	url    string
	secret func() string
	client *http.Client
}

var _ ports.HandoffPort = (*Webhook)(nil)

// New checks the address, as CheckURL does. The secret is asked for at each call, so that
// it can be rotated. The transport may be nil.
func New(url string, secret func() string, transport http.RoundTripper) (*Webhook, error) {
	if err := CheckURL(url); err != nil {
		return nil, fmt.Errorf("handoff: the address %w", err)
	}
	if secret == nil {
		return nil, errors.New("handoff: a secret is required")
	}
	return &Webhook{url: url, secret: secret, client: &http.Client{
		Transport: transport, Timeout: Timeout,
		// What is sent leads to a person, so it goes to the address that was set and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// CheckURL demands https, or http on a loopback host, and no query. The error reads on
// from the name of a setting and does not quote the address.
func CheckURL(url string) error { return baseurl.Check(url) }

type contact struct {
	UserID domain.UserID `json:"user_id,omitempty"`
	Phone  domain.Phone  `json:"phone,omitempty"`
}

type event struct {
	ID           domain.TurnID         `json:"id"`
	Type         string                `json:"type"`
	At           time.Time             `json:"at"`
	Number       domain.NumberID       `json:"phone_number_id"`
	Conversation domain.ConversationID `json:"conversation_id"`
	Contact      contact               `json:"contact"`
	Language     string                `json:"language,omitempty"`
	Unsaid       bool                  `json:"unsaid,omitempty"`
}

// Request implements ports.HandoffPort.
func (w *Webhook) Request(ctx context.Context, h ports.Handoff) error {
	body, err := json.Marshal(event{
		ID: h.ID, Type: "handoff.requested", At: h.At.UTC(), Number: h.Number, Conversation: h.Conversation,
		Contact: contact{UserID: h.Contact.UserID, Phone: h.Contact.Phone}, Language: h.Language, Unsaid: h.Unsaid,
	})
	if err != nil {
		return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the event has no JSON form")}
	}
	secret := w.secret()
	if secret == "" {
		return &ports.Error{Op: op, Kind: ports.KindDenied, Err: errors.New("there is no secret to sign with")}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the address cannot be used")}
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderTimestamp, at)
	req.Header.Set(HeaderSignature, "v1="+sign(secret, at, body))
	resp, err := w.client.Do(req)
	if err != nil {
		return httpstatus.FromDo(op, err, nil) // idempotent by the id
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if httpstatus.Kind(resp.StatusCode) != "" {
		return httpstatus.FromResponse(op, resp, time.Now())
	}
	return nil
}

func sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, at+".") // a hash does not fail
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
