package whatsapp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"whatsappnode/adapters/baseurl"
	"whatsappnode/domain"
)

// Defaults of Config.
const (
	DefaultBaseURL    = "https://graph.facebook.com"
	DefaultAPIVersion = "v26.0"
	// DefaultMediaHost is where Meta serves media (Meta, "Media").
	DefaultMediaHost     = "lookaside.fbsbx.com"
	DefaultMaxMediaBytes = 16 << 20

	// A send is a small request that Meta answers in well under a second; after so
	// long the answer is not coming, and the outcome is settled by its status.
	DefaultSendTimeout = 20 * time.Second
	// An upload carries up to 16 MB, as does a download.
	DefaultUploadTimeout = time.Minute
	DefaultMediaTimeout  = time.Minute
	// A read receipt is a courtesy; nothing waits for it.
	DefaultMarkTimeout = 5 * time.Second
)

// Config says which account to speak for, and where. Only AccessToken is required.
type Config struct {
	// AccessToken returns the token in force; it is asked at every call, so that a
	// token can be rotated without a restart. It must be safe for concurrent use.
	AccessToken func() string
	// PhoneNumberID is the business number that a MediaRef without one belongs to.
	// Messages leave from Outbound.Number.
	PhoneNumberID domain.NumberID
	// BaseURL is the Graph API's address, https unless its host is a loopback one.
	BaseURL string
	// APIVersion is the Graph version, "v26.0".
	APIVersion string
	// MediaHosts are the hosts media may be downloaded from; see ParseMediaHosts.
	MediaHosts []string
	// MaxMediaBytes is the largest object FetchMedia takes.
	MaxMediaBytes int64

	SendTimeout   time.Duration
	UploadTimeout time.Duration
	MediaTimeout  time.Duration // for the whole of FetchMedia
	MarkTimeout   time.Duration
}

var versionPattern = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)

// complete fills in the defaults and checks everything, all faults at once.
func (c Config) complete() (Config, error) {
	var faults []error
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.APIVersion, DefaultAPIVersion)
	setDefault(&c.MaxMediaBytes, DefaultMaxMediaBytes)
	setDefault(&c.SendTimeout, DefaultSendTimeout)
	setDefault(&c.UploadTimeout, DefaultUploadTimeout)
	setDefault(&c.MediaTimeout, DefaultMediaTimeout)
	setDefault(&c.MarkTimeout, DefaultMarkTimeout)
	if len(c.MediaHosts) == 0 {
		c.MediaHosts = []string{DefaultMediaHost}
	}
	if c.AccessToken == nil {
		faults = append(faults, errors.New("the access token function is missing"))
	}
	if c.PhoneNumberID != "" && !isObjectID(string(c.PhoneNumberID)) {
		faults = append(faults, errors.New("the phone number id is malformed"))
	}
	if !versionPattern.MatchString(c.APIVersion) {
		faults = append(faults, errors.New(`the Graph API version must look like "v26.0"`))
	}
	if c.MaxMediaBytes < 0 || c.SendTimeout < 0 || c.UploadTimeout < 0 || c.MediaTimeout < 0 || c.MarkTimeout < 0 {
		faults = append(faults, errors.New("a limit is negative"))
	}
	if err := baseurl.Check(c.BaseURL); err != nil {
		faults = append(faults, fmt.Errorf("the Graph base URL %w", err))
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return c, errors.Join(faults...)
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// splitHostPort cuts "host", "host:port", "[v6]:port" or a bare IPv6 address.
func splitHostPort(s string) (host, port string, err error) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.String(), "", nil
	}
	if !strings.Contains(s, ":") {
		return s, "", nil
	}
	host, port, err = net.SplitHostPort(s)
	if err != nil || port == "" {
		return "", "", errors.New("is not host or host:port")
	}
	return host, port, nil
}

// isObjectID accepts what can stand as one path segment without meaning more: Meta's
// ids are digits; other simulators use letters too.
func isObjectID(s string) bool {
	if len(s) == 0 || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
