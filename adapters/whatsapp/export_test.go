package whatsapp

import (
	"net"
	"net/netip"
	"testing"
)

// AllowsAddress asks what the guard asks at a dial to a host of the one entry.
func AllowsAddress(t *testing.T, entry string, ip netip.Addr) bool {
	t.Helper()
	h, err := parseMediaHost(entry)
	if err != nil {
		t.Fatal(err)
	}
	return h.control("tcp", netip.AddrPortFrom(ip, 443).String(), nil) == nil
}

// ResolveMediaWith makes media hosts be looked up by a resolver of the test's.
func (m *Messenger) ResolveMediaWith(r *net.Resolver) { m.guard.resolver = r }
