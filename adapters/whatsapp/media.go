package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	opFetch = "whatsapp.fetch_media"
	// maxRedirects bounds the hops of one download.
	maxRedirects = 5
)

// mediaInfo is the answer to GET /{media id} (Meta, "Media").
type mediaInfo struct {
	URL    string  `json:"url"`
	MIME   string  `json:"mime_type"`
	SHA256 string  `json:"sha256"` // hex in real answers, base64 in webhooks
	Size   flexInt `json:"file_size"`
}

// FetchMedia implements ports.MessengerPort. The URL of the webhook is tried first
// when there is one; it lives 5 minutes, so a refusal of it only leads to asking
// the Graph API for a new one. An address that is not on the list of media hosts is
// KindDenied and is never contacted.
func (m *Messenger) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	if err := ports.FromContext(ctx, opFetch); err != nil {
		return domain.Media{}, err
	}
	if !isObjectID(string(ref.ID)) {
		return domain.Media{}, &ports.Error{Op: opFetch, Kind: ports.KindInvalid, Err: errors.New("the media id is malformed")}
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.MediaTimeout)
	defer cancel()
	if ref.URL != "" {
		media, err := m.download(ctx, ref, mediaInfo{URL: ref.URL, MIME: ref.MIME})
		if kind := ports.KindOf(err); kind != ports.KindNotFound && kind != ports.KindDenied {
			return media, err
		}
	}
	for again := true; ; again = false {
		info, err := m.mediaInfo(ctx, ref)
		if err != nil {
			return domain.Media{}, err
		}
		media, err := m.download(ctx, ref, info)
		if ports.KindOf(err) == ports.KindNotFound && again {
			continue // the URL expired under way, or Meta's hosts do not know it yet
		}
		return media, err
	}
}

// mediaInfo asks the Graph API where the object is.
func (m *Messenger) mediaInfo(ctx context.Context, ref domain.MediaRef) (mediaInfo, error) {
	number := ref.Number
	if number == "" {
		number = m.cfg.PhoneNumberID
	}
	var info mediaInfo
	c := call{op: opFetch, method: http.MethodGet, path: []string{string(ref.ID)}, timeout: m.cfg.MediaTimeout, out: &info}
	if number != "" {
		c.query = url.Values{"phone_number_id": {string(number)}}
	}
	if err := m.do(ctx, c); err != nil {
		return mediaInfo{}, lookupError(err)
	}
	if info.URL == "" {
		return mediaInfo{}, c.unreadable()
	}
	if info.Size.N > m.cfg.MaxMediaBytes {
		return mediaInfo{}, m.refuseMedia("the object is larger than the limit")
	}
	return info, nil
}

// lookupError: the Graph API says "invalid parameter" (100, subcode 33) of an id
// that does not exist or no more.
func lookupError(err error) error {
	var e *ports.Error
	if errors.As(err, &e) && (e.Code == "100" || e.Code == "33") {
		e.Kind, e.Scope = ports.KindNotFound, ports.ScopeCall
	}
	return err
}

// download fetches one URL, through redirects that stay on the list, and checks
// what came.
func (m *Messenger) download(ctx context.Context, ref domain.MediaRef, info mediaInfo) (domain.Media, error) {
	resp, err := m.open(ctx, info.URL)
	if err != nil {
		return domain.Media{}, err
	}
	defer resp.Body.Close()
	if resp.ContentLength > m.cfg.MaxMediaBytes {
		return domain.Media{}, m.refuseMedia("the object is larger than the limit")
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, m.cfg.MaxMediaBytes+1))
	switch {
	case err != nil:
		return domain.Media{}, httpstatus.FromDo(opFetch, err, nil)
	case int64(len(data)) > m.cfg.MaxMediaBytes:
		return domain.Media{}, m.refuseMedia("the object is larger than the limit")
	case len(data) == 0:
		return domain.Media{}, m.refuseMedia("the object is empty")
	}
	sum := sha256.Sum256(data)
	for _, want := range []string{ref.SHA256, info.SHA256} {
		if want, ok := parseSHA256(want); ok && want != sum {
			return domain.Media{}, m.refuseMedia("the checksum does not match")
		}
	}
	mime := firstOf(ref.MIME, info.MIME, resp.Header.Get("Content-Type"))
	if contradicts(mime, data) {
		return domain.Media{}, m.refuseMedia("the bytes contradict the type")
	}
	return domain.Media{MIME: mime, Data: data}, nil
}

func (m *Messenger) refuseMedia(why string) error {
	return &ports.Error{Op: opFetch, Kind: ports.KindUnsupported, Scope: ports.ScopeMedia, Err: errors.New(why)}
}

// open requests a URL and returns a good answer. Every hop is checked before it is
// contacted; the token goes to hosts on the list only, as nothing else is contacted.
func (m *Messenger) open(ctx context.Context, raw string) (*http.Response, error) {
	target, err := url.Parse(raw)
	if err != nil {
		return nil, m.refuseHost(errHostNotAllowed)
	}
	token := m.cfg.AccessToken()
	if token == "" {
		return nil, &ports.Error{Op: opFetch, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errNoToken}
	}
	for range maxRedirects + 1 {
		if err := m.guard.CheckURL(target); err != nil {
			return nil, m.refuseHost(err)
		}
		resp, err := m.get(ctx, target, token)
		if err != nil {
			return nil, err
		}
		next, err := redirect(resp, target)
		if err == nil && next == nil {
			return answered(resp)
		}
		resp.Body.Close() // #nosec G104 -- nothing follows from it: the answer is not used
		if err != nil {
			return nil, m.refuseHost(err)
		}
		target = next
	}
	return nil, m.refuseHost(errors.New("the media URL redirects too often"))
}

func (m *Messenger) refuseHost(err error) error {
	return &ports.Error{Op: opFetch, Kind: ports.KindDenied, Err: err}
}

func (m *Messenger) get(ctx context.Context, target *url.URL, token string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, m.refuseHost(errHostNotAllowed)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := m.media.Do(req)
	switch {
	case errors.Is(err, errAddressNotAllowed):
		return nil, m.refuseHost(errAddressNotAllowed)
	case errors.Is(err, errHostNotAllowed):
		return nil, m.refuseHost(errHostNotAllowed)
	case err != nil:
		return nil, httpstatus.FromDo(opFetch, err, nil)
	}
	return resp, nil
}

// redirect returns where an answer points to, or nil when it is none.
func redirect(resp *http.Response, from *url.URL) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	next, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return nil, errors.New("the media URL redirects to nowhere")
	}
	return next, nil
}

func answered(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	resp.Body.Close() // #nosec G104 -- nothing follows from it: the answer is not used
	e := httpstatus.FromResponse(opFetch, resp, time.Now())
	if e.Kind == "" {
		e.Kind = ports.KindUnknown // 204, 206: good, but not the object
	}
	if resp.StatusCode == http.StatusUnauthorized {
		e.Scope = ports.ScopeAccount
	}
	return nil, e
}

// parseSHA256 reads a checksum as hex or base64. One that is neither is no checksum.
func parseSHA256(s string) (sum [sha256.Size]byte, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(sum) {
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	}
	if err != nil || len(b) != len(sum) {
		return sum, false
	}
	return [sha256.Size]byte(b), true
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
