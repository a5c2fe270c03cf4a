package whatsapp_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
)

func TestMediaGuardChecksURLs(t *testing.T) {
	for _, x := range []struct {
		list string
		yes  []string
		no   []string
	}{
		{
			list: "lookaside.fbsbx.com",
			yes:  []string{"https://lookaside.fbsbx.com/x?mid=1", "https://LOOKASIDE.fbsbx.com/", "https://lookaside.fbsbx.com:443/x", "https://lookaside.fbsbx.com"},
			no: []string{
				"http://lookaside.fbsbx.com/", "https://lookaside.fbsbx.com:8443/", "https://lookaside.fbsbx.com:80/", "https://lookaside.fbsbx.com.evil.example/",
				"https://evil.example/lookaside.fbsbx.com", "https://xlookaside.fbsbx.com/", "https://a.lookaside.fbsbx.com/", "https://fbsbx.com/",
				"https://lookaside.fbsbx.com@evil.example/", "https://evil.example\\@lookaside.fbsbx.com/", "https://user@lookaside.fbsbx.com/", "https://lookaside.fbsbx.com./",
				"ftp://lookaside.fbsbx.com/", "file:///etc/passwd", "//lookaside.fbsbx.com/", "/x", "", "https:lookaside.fbsbx.com", "https://lookaside.fbsbx.com:/",
				"https://", "https://127.0.0.1/", "https://[::1]/", "https://lookaside%2efbsbx.com/", "https://lookasıde.fbsbx.com/", "data:audio/ogg;base64,AA==",
			},
		},
		{
			list: ".fbsbx.com",
			yes:  []string{"https://lookaside.fbsbx.com/", "https://a.b.fbsbx.com/"},
			no:   []string{"https://fbsbx.com/", "https://.fbsbx.com/", "https://evilfbsbx.com/", "https://a..fbsbx.com/", "http://a.fbsbx.com/", "https://a.fbsbx.com:444/", "https://a_b!.fbsbx.com/"},
		},
		{list: "cdn.example:443", yes: []string{"https://cdn.example/x"}, no: []string{"https://cdn.example:444/"}},
		{
			list: "127.0.0.1:9000",
			yes:  []string{"http://127.0.0.1:9000/x", "https://127.0.0.1:9000/x", "http://[::ffff:127.0.0.1]:9000/"},
			no:   []string{"http://127.0.0.1:9001/", "http://127.0.0.1/", "http://localhost:9000/", "http://127.0.0.2:9000/", "http://2130706433:9000/", "http://127.1:9000/", "ftp://127.0.0.1:9000/"},
		},
		{list: "localhost", yes: []string{"http://localhost/", "http://localhost:1234/", "https://localhost:1/"}, no: []string{"http://a.localhost/", "http://127.0.0.1/", "gopher://localhost/"}},
		{list: "[::1]", yes: []string{"http://[::1]:5/", "http://[0:0:0:0:0:0:0:1]/"}, no: []string{"http://[::1%25lo]/", "http://[::2]/"}},
		{list: "10.1.2.3", yes: []string{"https://10.1.2.3/"}, no: []string{"http://10.1.2.3/", "https://10.1.2.4/", "https://10.1.2.3:8443/"}},
	} {
		g, err := whatsapp.NewMediaGuard([]string{x.list})
		require.NoError(t, err)
		for _, raw := range x.yes {
			assert.NoError(t, g.CheckURL(mustParse(t, raw)), "%s on %s", raw, x.list)
		}
		for _, raw := range x.no {
			u, err := url.Parse(raw)
			if err != nil {
				continue // refused even earlier
			}
			err = g.CheckURL(u)
			assert.Error(t, err, "%s on %s", raw, x.list)
		}
	}
	empty, err := whatsapp.NewMediaGuard(nil)
	require.NoError(t, err)
	assert.Error(t, empty.CheckURL(mustParse(t, "https://lookaside.fbsbx.com/")))
	assert.Error(t, empty.CheckURL(nil))
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err, raw)
	return u
}

func TestMediaGuardRefusesBadEntries(t *testing.T) {
	for _, entry := range []string{
		"", ".", "*", "*.fbsbx.com", "https://lookaside.fbsbx.com", "a b", "a..b", "-a.example", "lookaside.fbsbx.com/x", "lookaside.fbsbx.com:8443",
		"lookaside.fbsbx.com:", "localhost:0", "localhost:99999", "localhost:http", ".127.0.0.1", "fe80::1%eth0", "10.0.0.1:8080", "user@host", "a:b:c",
	} {
		_, err := whatsapp.NewMediaGuard([]string{entry})
		assert.Error(t, err, "%q", entry)
	}
}

func TestMediaGuardChecksAddresses(t *testing.T) {
	for _, x := range []struct {
		entry   string
		yes, no []string
	}{
		{
			entry: "lookaside.fbsbx.com",
			yes:   []string{"157.240.1.1", "2a03:2880:f12f:83:face:b00c:0:25de", "64:ff9b::9df0:101", "2002:9df0:101::1", "::ffff:157.240.1.1"},
			no: []string{
				"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
				"100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255",
				"fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1", "100::1",
				"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
			},
		},
		{entry: "localhost", yes: []string{"127.0.0.1", "::1", "127.5.5.5"}, no: []string{"10.0.0.1", "157.240.1.1", "0.0.0.0", "169.254.169.254"}},
		{entry: "10.1.2.3", yes: []string{"10.1.2.3", "::ffff:10.1.2.3"}, no: []string{"10.1.2.4", "127.0.0.1", "157.240.1.1"}},
	} {
		for _, ip := range x.yes {
			assert.True(t, whatsapp.AllowsAddress(t, x.entry, netip.MustParseAddr(ip)), "%s behind %s", ip, x.entry)
		}
		for _, ip := range x.no {
			assert.False(t, whatsapp.AllowsAddress(t, x.entry, netip.MustParseAddr(ip)), "%s behind %s", ip, x.entry)
		}
	}
	assert.False(t, whatsapp.AllowsAddress(t, "lookaside.fbsbx.com", netip.Addr{}))
}

// FuzzMediaGuard: what passes is https on the one host, seen by other means.
func FuzzMediaGuard(f *testing.F) {
	for _, seed := range []string{
		"https://lookaside.fbsbx.com/x?mid=1", "https://lookaside.fbsbx.com:443/", "http://lookaside.fbsbx.com/", "https://lookaside.fbsbx.com@evil.example/",
		"https://evil.example\\@lookaside.fbsbx.com", "https://lookaside.fbsbx.com.evil.example", "https://[::ffff:7f00:1]/", "//lookaside.fbsbx.com", "https:lookaside.fbsbx.com",
		"https://lookaside.fbsbx.com%00.evil.example/", "https://LOOKASIDE.FBSBX.COM./", "https://lookaside.fbsbx.com#@evil.example/", "http://127.0.0.1:9000/",
	} {
		f.Add(seed)
	}
	g, err := whatsapp.NewMediaGuard([]string{"lookaside.fbsbx.com"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil || g.CheckURL(u) != nil {
			return
		}
		// Read again what would go out on the wire.
		again, err := url.Parse(u.String())
		require.NoError(t, err)
		assert.Equal(t, "https", again.Scheme)
		assert.Equal(t, "lookaside.fbsbx.com", strings.ToLower(again.Hostname()))
		assert.Contains(t, []string{"", "443"}, again.Port())
		assert.Nil(t, again.User)
		lower := strings.ToLower(raw)
		assert.True(t, strings.HasPrefix(lower, "https://lookaside.fbsbx.com"), raw)
		rest := lower[len("https://lookaside.fbsbx.com"):]
		assert.True(t, rest == "" || strings.ContainsAny(rest[:1], ":/?#"), raw)
	})
}
