// Package baseurl checks the addresses of services that credentials travel to.
package baseurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Check demands https, or http on a loopback host, since the credentials travel with
// every call, and nothing but scheme, host and perhaps a path. The error reads on from
// the name of the setting. It does not print the URL: somebody may have put a key into
// it.
func Check(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must be scheme, host and perhaps a path, nothing else")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https, or http on a loopback host, since the credentials travel with every call")
}

// IsLoopback reports whether a host name or address can only mean this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
