package whatsapp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

const opNumber = "whatsapp.number"

// numberTimeout is for a read of a few fields; nothing else waits for it.
const numberTimeout = 10 * time.Second

// numberFields are asked for by name: the Graph API gives the rest only so (Meta,
// "Get a phone number").
const numberFields = "id,display_phone_number,quality_rating,code_verification_status,platform_type,throughput,is_on_biz_app"

// Number is what Meta says of a business phone number. A field that Meta left out is
// empty.
type Number struct {
	ID domain.NumberID
	// Display is the number as people read it, "+1 555-010-0200". It is personal data
	// in some places: show its end at most.
	Display string
	// Quality is GREEN, YELLOW, RED or UNKNOWN: how users judge what it sends.
	Quality string
	// Verification is VERIFIED, NOT_VERIFIED or EXPIRED.
	Verification string
	// Platform is CLOUD_API for a number that is registered with this API.
	Platform string
	// Throughput is STANDARD or HIGH.
	Throughput string
	// OnBizApp is true for a number that people use in the WhatsApp Business app, too
	// (Meta, "Onboarding WhatsApp Business app users").
	OnBizApp bool
}

// LookUp asks Meta about a business number. That shows that the address is Meta's,
// that the access token is good and that it may see the number; it sends nothing. A
// token that is refused or lacks the permission is KindDenied with ScopeAccount, a
// number that does not exist or belongs to somebody else KindNotFound with
// ScopeNumber: Meta does not tell the two apart. No connection is KindTransient or
// KindTimeout. It may be called concurrently.
func (m *Messenger) LookUp(ctx context.Context, number domain.NumberID) (Number, error) {
	if !isObjectID(string(number)) {
		return Number{}, &ports.Error{Op: opNumber, Kind: ports.KindInvalid, Err: errors.New("the phone number id is malformed")}
	}
	var answer struct {
		ID           string
		Display      string `json:"display_phone_number"`
		Quality      string `json:"quality_rating"`
		Verification string `json:"code_verification_status"`
		Platform     string `json:"platform_type"`
		OnBizApp     bool   `json:"is_on_biz_app"`
		Throughput   struct{ Level string }
	}
	c := call{
		op: opNumber, method: http.MethodGet, path: []string{string(number)}, query: url.Values{"fields": {numberFields}},
		timeout: numberTimeout, out: &answer,
	}
	err := m.do(ctx, c)
	var e *ports.Error
	switch {
	case err == nil && answer.ID != string(number):
		return Number{}, c.unreadable()
	case err == nil:
		return Number{
			ID: number, Display: answer.Display, Quality: answer.Quality, Verification: answer.Verification,
			Platform: answer.Platform, Throughput: answer.Throughput.Level, OnBizApp: answer.OnBizApp,
		}, nil
	case errors.As(err, &e) && (e.Code == "100" || e.Code == "33"):
		// "Object with ID does not exist, cannot be loaded due to missing permissions"
		e.Kind, e.Scope = ports.KindNotFound, ports.ScopeNumber
		e.Err = errors.New("no such business number can be seen with this token")
	}
	return Number{}, err
}
