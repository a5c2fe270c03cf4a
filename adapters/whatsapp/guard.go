package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"whatsappnode/adapters/baseurl"
)

// MediaGuard decides where media may be downloaded from. A media URL comes out of a
// webhook or an answer and is fetched with the access token, so a wrong one would
// hand the token out or reach into our own network.
//
// It checks twice: the URL (CheckURL, at the start and at every redirect), and the
// address that the host name turned out to have (control, at every dial), because
// a name on the list may resolve to an address that must not be reached.
type MediaGuard struct {
	hosts    []mediaHost
	resolver *net.Resolver // nil: the system's
}

// mediaHost is one entry of the allow-list.
type mediaHost struct {
	name      string // lower case, without the leading dot
	port      string // empty: any that the scheme allows
	subdomain bool   // the entry had a leading dot: hosts below name, not name itself
	loopback  bool   // http and any port are allowed, and only loopback addresses
	ip        netip.Addr
}

var (
	errHostNotAllowed    = errors.New("the host of the media URL is not on the list of media hosts")
	errAddressNotAllowed = errors.New("the media host has an address inside a private or special network")
)

// NewMediaGuard reads the allow-list. An entry is
//
//   - a host, "lookaside.fbsbx.com": exactly that host;
//   - a host with a leading dot, ".fbsbx.com": every host below it, at any depth,
//     but not "fbsbx.com" itself;
//   - an IP address: exactly that address, which may then be a private one;
//   - a loopback host (localhost, 127.x.x.x, ::1), for a simulation on this machine:
//     http is allowed too, on any port, and the name may only lead to this machine.
//
// "host:port" pins the port. Without loopback only https on port 443 is allowed, so
// another port is refused here.
func NewMediaGuard(entries []string) (*MediaGuard, error) {
	g := &MediaGuard{}
	for _, entry := range entries {
		h, err := parseMediaHost(strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("media host %q %w", entry, err)
		}
		g.hosts = append(g.hosts, h)
	}
	return g, nil
}

func parseMediaHost(entry string) (mediaHost, error) {
	host, port, err := splitHostPort(entry)
	if err != nil {
		return mediaHost{}, err
	}
	h := mediaHost{port: port}
	host, h.subdomain = strings.CutPrefix(strings.ToLower(host), ".")
	h.name, h.loopback = host, !h.subdomain && baseurl.IsLoopback(host)
	if ip, err := netip.ParseAddr(host); err == nil {
		h.ip = ip.Unmap()
		if h.subdomain || ip.Zone() != "" {
			return mediaHost{}, errors.New("is a malformed address")
		}
	} else if !isHostName(host) {
		return mediaHost{}, errors.New("is no host name")
	}
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return mediaHost{}, errors.New("has no valid port")
		}
		if !h.loopback && port != "443" {
			return mediaHost{}, errors.New("must use port 443; other ports are for loopback hosts only")
		}
	}
	return h, nil
}

func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// CheckURL reports why a URL must not be fetched, or nil. The error does not hold
// the URL.
func (g *MediaGuard) CheckURL(u *url.URL) error {
	if u == nil || u.Opaque != "" || u.User != nil || u.Host == "" || strings.HasSuffix(u.Host, ":") {
		return errHostNotAllowed
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	}
	h, ok := g.match(u.Hostname(), port)
	if !ok {
		return errHostNotAllowed
	}
	if u.Scheme == "https" || (u.Scheme == "http" && h.loopback) {
		return nil
	}
	return errors.New("the media URL is not https")
}

// match finds the entry that allows a host on a port.
func (g *MediaGuard) match(host, port string) (mediaHost, bool) {
	host = strings.ToLower(host)
	ip, err := netip.ParseAddr(host)
	isIP := err == nil
	if isIP && ip.Zone() != "" {
		return mediaHost{}, false
	}
	for _, h := range g.hosts {
		var same bool
		switch {
		case h.ip.IsValid():
			same = isIP && ip.Unmap() == h.ip
		case h.subdomain:
			same = !isIP && isHostName(host) && strings.HasSuffix(host, "."+h.name)
		default:
			same = host == h.name
		}
		wanted := h.port
		if wanted == "" && !h.loopback {
			wanted = "443"
		}
		if same && (wanted == "" || wanted == port) {
			return h, true
		}
	}
	return mediaHost{}, false
}

// allowsAddress judges the address that a host turned out to have.
func (h mediaHost) allowsAddress(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid() || ip.Zone() != "":
		return false
	case h.loopback:
		return ip.IsLoopback()
	case h.ip.IsValid():
		return ip == h.ip
	}
	return isPublic(ip)
}

// client makes the HTTP client for downloads: guarded at every dial, without
// proxy, redirects left to the caller.
func (g *MediaGuard) client(base http.RoundTripper) *http.Client {
	t, ok := base.(*http.Transport)
	if !ok {
		t, _ = http.DefaultTransport.(*http.Transport)
	}
	if t == nil {
		t = &http.Transport{ForceAttemptHTTP2: true}
	}
	t = t.Clone()
	t.Proxy = nil
	t.DialTLSContext = nil // would go around DialContext
	//lint:ignore SA1019 the deprecated twins of DialContext would go around it too
	t.DialTLS, t.Dial = nil, nil
	t.DialContext = g.dial
	t.DisableCompression = true // the size cap counts what is on the wire
	t.MaxIdleConnsPerHost = 8
	return &http.Client{Transport: t, CheckRedirect: keepRedirect}
}

// dial sees the host before DNS and its control function the address after it.
func (g *MediaGuard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errHostNotAllowed
	}
	h, ok := g.match(host, port)
	if !ok {
		return nil, errHostNotAllowed
	}
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Resolver: g.resolver, Control: h.control}
	return d.DialContext(ctx, network, address)
}

func (h mediaHost) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !h.allowsAddress(at.Addr()) {
		return errAddressNotAllowed
	}
	return nil
}
