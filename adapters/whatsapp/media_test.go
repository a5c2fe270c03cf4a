package whatsapp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// fetchable puts a voice note on a fresh server.
func fetchable(t *testing.T) (*graphServer, *whatsapp.Messenger, domain.MediaRef, *graphMedia) {
	t.Helper()
	s := newGraphServer(t)
	ref := s.putMedia(domain.MIMEOggOpus, porttest.VoiceClip(t).Bytes())
	return s, s.messenger(nil), ref, s.media[string(ref.ID)]
}

func TestFetchMediaAsksAndDownloads(t *testing.T) {
	s, m, ref, item := fetchable(t)
	got, err := m.FetchMedia(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, item.data, got.Data)
	assert.Equal(t, []recorded{
		{"GET", "/v26.0/" + item.id, "phone_number_id=106500000000001", "", "Bearer " + testToken},
		{"GET", "/media/" + item.id, "visit=1", "", "Bearer " + testToken},
	}, s.requests)

	ref.Number = "" // then it is the configured number's
	_, err = m.FetchMedia(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, "phone_number_id=106500000000001", s.requests[2].query)
}

func TestFetchMediaUsesTheWebhooksURLFirst(t *testing.T) {
	s, m, ref, item := fetchable(t)
	ref.URL = s.web.URL + "/media/" + item.id + "?mid=1"
	_, err := m.FetchMedia(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, s.requests, 1)
	assert.Equal(t, "mid=1", s.requests[0].query)

	// One that expired, or leads off the list, only costs a question more.
	for _, bad := range []string{s.web.URL + "/media/404", "https://evil.example/x", "://", "http://169.254.169.254/latest"} {
		ref.URL = bad
		_, err = m.FetchMedia(t.Context(), ref)
		require.NoError(t, err, bad)
	}
}

func TestFetchMediaAsksOnceMoreWhenTheURLExpired(t *testing.T) {
	s, m, ref, item := fetchable(t)
	s.download = func(w http.ResponseWriter, r *http.Request, _ *graphMedia) bool {
		if r.URL.Query().Get("visit") == "1" {
			http.Error(w, "expired", http.StatusNotFound)
			return true
		}
		return false
	}
	_, err := m.FetchMedia(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, 2, item.lookups)

	item.expired = true
	_, err = m.FetchMedia(t.Context(), ref)
	assert.Equal(t, ports.KindNotFound, ports.KindOf(err))
	assert.Equal(t, 4, item.lookups, "asked once more, and not again")
}

func TestFetchMediaReadsWhatMetaSaysInEveryForm(t *testing.T) {
	s, m, ref, item := fetchable(t)
	good := base64SHA(item.data)
	for name, x := range map[string]struct {
		size any
		sum  string
		kind ports.Kind
	}{
		"number, hex":        {len(item.data), item.sum, ""},
		"string, base64":     {fmt.Sprint(len(item.data)), good, ""},
		"upper-case hex":     {nil, strings.ToUpper(item.sum), ""},
		"base64 unpadded":    {nil, strings.TrimRight(good, "="), ""},
		"no checksum":        {"?", "", ""},
		"no known checksum":  {0, "crc32:1234", ""},
		"other hex":          {0, strings.Repeat("0", 64), ports.KindUnsupported},
		"other base64":       {0, base64SHA([]byte("x")), ports.KindUnsupported},
		"too large, number":  {mediaLimit + 1, item.sum, ports.KindUnsupported},
		"too large, string":  {fmt.Sprint(mediaLimit + 1), item.sum, ports.KindUnsupported},
		"absurdly large int": {1 << 62, item.sum, ports.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s.nextLookup = func(w http.ResponseWriter, _ *graphMedia) bool {
				answer(w, map[string]any{"url": s.web.URL + "/media/" + item.id, "mime_type": "audio/ogg", "sha256": x.sum, "file_size": x.size})
				return true
			}
			_, err := m.FetchMedia(t.Context(), ref)
			assert.Equal(t, x.kind, ports.KindOf(err))
		})
	}
}

func TestFetchMediaRefusesBeforeAndWhileDownloading(t *testing.T) {
	big := bytes.Repeat([]byte("x"), mediaLimit+2)
	for name, x := range map[string]struct {
		download func(w http.ResponseWriter)
		kind     ports.Kind
	}{
		"declared too large": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(len(big)))
			_, _ = w.Write(big)
		}, ports.KindUnsupported},
		"endless": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "audio/ogg")
			for range 3 {
				_, _ = w.Write(big[:mediaLimit/2])
				w.(http.Flusher).Flush()
			}
		}, ports.KindUnsupported},
		"cut": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "OggS")
		}, ports.KindTransient},
		"empty":        {func(http.ResponseWriter) {}, ports.KindUnsupported},
		"outage":       {func(w http.ResponseWriter) { w.WriteHeader(503) }, ports.KindTransient},
		"too many":     {func(w http.ResponseWriter) { w.WriteHeader(429) }, ports.KindRateLimited},
		"denied":       {func(w http.ResponseWriter) { w.WriteHeader(401) }, ports.KindDenied},
		"partial":      {func(w http.ResponseWriter) { w.WriteHeader(206) }, ports.KindUnknown},
		"gone":         {func(w http.ResponseWriter) { w.WriteHeader(410) }, ports.KindNotFound},
		"broken":       {cut, ports.KindTransient},
		"html instead": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, ports.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s, m, ref, _ := fetchable(t)
			s.download = func(w http.ResponseWriter, _ *http.Request, _ *graphMedia) bool { x.download(w); return true }
			_, err := m.FetchMedia(t.Context(), ref)
			require.Error(t, err)
			assert.Equal(t, x.kind, ports.KindOf(err))
			assert.NotContains(t, err.Error(), s.web.URL)
			assert.NoError(t, m.Healthy(), "media hosts do not decide about the token")
		})
	}
}

func TestFetchMediaCountsWhatNobodyDeclared(t *testing.T) {
	s, m, ref, item := fetchable(t)
	ref.SHA256, item.sum, item.data = "", "", item.data[:10]
	for size, want := range map[int]ports.Kind{mediaLimit: "", mediaLimit + 1: ports.KindUnsupported} {
		s.download = func(w http.ResponseWriter, _ *http.Request, _ *graphMedia) bool {
			w.(http.Flusher).Flush() // so that the answer has no length
			_, _ = io.WriteString(w, "OggS"+strings.Repeat("x", size-4))
			return true
		}
		_, err := m.FetchMedia(t.Context(), ref)
		assert.Equal(t, want, ports.KindOf(err), "%d bytes", size)
	}
}

func TestFetchMediaFollowsRedirectsOnTheListOnly(t *testing.T) {
	s, m, ref, item := fetchable(t)
	stolen := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen <- r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)

	redirect := func(to string) {
		s.download = func(w http.ResponseWriter, r *http.Request, _ *graphMedia) bool {
			if r.URL.Query().Get("hop") != "" {
				return false
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return true
		}
	}
	redirect("/media/" + item.id + "?hop=1") // relative, same host
	got, err := m.FetchMedia(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, item.data, got.Data)
	assert.Equal(t, "Bearer "+testToken, s.requests[len(s.requests)-1].auth)

	for _, to := range []string{
		thief.URL, "//" + strings.TrimPrefix(thief.URL, "http://"), "https://lookaside.fbsbx.com.evil.example/", "http://169.254.169.254/",
		"file:///etc/passwd", "gopher://x", "", "http://[::1%25lo]/", "http://user:pw@127.0.0.1/",
	} {
		redirect(to)
		_, err = m.FetchMedia(t.Context(), ref)
		require.Error(t, err, to)
		assert.Equal(t, ports.KindDenied, ports.KindOf(err), to)
		assert.NotContains(t, err.Error(), "127.0.0.1")
	}
	assert.Empty(t, stolen, "a host off the list was contacted")

	s.download = func(w http.ResponseWriter, r *http.Request, _ *graphMedia) bool {
		http.Redirect(w, r, r.URL.String()+"x", http.StatusTemporaryRedirect)
		return true
	}
	before := len(s.requests)
	_, err = m.FetchMedia(t.Context(), ref)
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.Equal(t, 1+6, len(s.requests)-before, "one question and six hops")
}

// A name on the list that leads into our own network is caught at the dial: nothing
// is connected to.
func TestFetchMediaChecksTheAddressBehindTheName(t *testing.T) {
	for address, want := range map[string]ports.Kind{
		"127.0.0.1": ports.KindDenied, "10.0.0.1": ports.KindDenied, "169.254.169.254": ports.KindDenied, "0.0.0.0": ports.KindDenied,
	} {
		t.Run(address, func(t *testing.T) {
			s := newGraphServer(t)
			ref := s.putMedia(domain.MIMEOggOpus, porttest.VoiceClip(t).Bytes())
			m := s.messenger(func(c *whatsapp.Config) { c.MediaHosts = []string{"media.example"} })
			m.ResolveMediaWith(resolverTo(t, netip.MustParseAddr(address)))
			s.nextLookup = func(w http.ResponseWriter, _ *graphMedia) bool {
				answer(w, map[string]any{"url": "https://media.example/x"})
				return true
			}
			_, err := m.FetchMedia(t.Context(), ref)
			require.Error(t, err)
			assert.Equal(t, want, ports.KindOf(err))
			assert.Contains(t, err.Error(), "private or special network")
		})
	}
}

// resolverTo answers every question with one address, from a name server of its own.
func resolverTo(t *testing.T, ip netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) == 0 {
				continue
			}
			a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true}, Questions: q.Questions}
			if q.Questions[0].Type == dnsmessage.TypeA {
				a.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 1},
					Body:   &dnsmessage.AResource{A: ip.As4()},
				}}
			}
			if packed, err := a.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestLookupErrors(t *testing.T) {
	s, m, ref, _ := fetchable(t)
	for name, x := range map[string]struct {
		status int
		body   string
		kind   ports.Kind
	}{
		"unknown id":  {400, `{"error":{"code":100,"error_subcode":33}}`, ports.KindNotFound},
		"deleted":     {404, ``, ports.KindNotFound},
		"no access":   {403, `{"error":{"code":10}}`, ports.KindDenied},
		"rate":        {400, `{"error":{"code":4}}`, ports.KindRateLimited},
		"no url":      {200, `{"id":"1"}`, ports.KindTransient},
		"nonsense":    {200, `<html>`, ports.KindTransient},
		"bad gateway": {502, ``, ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			s.nextLookup = func(w http.ResponseWriter, _ *graphMedia) bool {
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.body)
				return true
			}
			_, err := m.FetchMedia(t.Context(), ref)
			assert.Equal(t, x.kind, ports.KindOf(err))
			assert.False(t, ports.MaybeDone(err))
		})
	}
}

func TestMagicBytes(t *testing.T) {
	ftyp := "\x00\x00\x00\x18ftypM4A "
	for name, x := range map[string]struct {
		mime, data string
		ok         bool
	}{
		"ogg":             {"audio/ogg; codecs=opus", "OggS\x00", true},
		"ogg upper":       {"Audio/OGG", "OggS\x00", true},
		"not ogg":         {"audio/ogg", "ID3", false},
		"mp3 tag":         {"audio/mpeg", "ID3\x04", true},
		"mp3 frame":       {"audio/mpeg", "\xff\xfb\x90", true},
		"mp3 is not adts": {"audio/mpeg", "\xff\xf1\x50", false},
		"aac":             {"audio/aac", "\xff\xf1\x50", true},
		"aac in mp4":      {"audio/aac", ftyp, true},
		"aac is not mp3":  {"audio/aac", "\xff\xfb\x90", false},
		"m4a":             {"audio/mp4", ftyp, true},
		"m4a cut":         {"audio/mp4", "\x00\x00\x00\x18fty", false},
		"amr":             {"audio/amr", "#!AMR\n", true},
		"amr wideband":    {"audio/amr", "#!AMR-WB\n", true},
		"not amr":         {"audio/amr", "AMR", false},
		"jpeg":            {"image/jpeg", "\xff\xd8\xff\xe0", true},
		"png":             {"image/png", "\x89PNG\r\n\x1a\n", true},
		"png as jpeg":     {"image/jpeg", "\x89PNG\r\n\x1a\n", false},
		"webp":            {"image/webp", "RIFF\x00\x00\x00\x00WEBP", true},
		"wav as webp":     {"image/webp", "RIFF\x00\x00\x00\x00WAVE", false},
		"pdf":             {"application/pdf", "%PDF-1.7", true},
		"html as pdf":     {"application/pdf", "<html>", false},
		"mp4":             {"video/mp4", ftyp, true},
		"docx":            {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04", true},
		"unknown passes":  {"application/x-unheard-of", "anything", true},
		"text passes":     {"text/plain", "anything", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGraphServer(t)
			_, err := s.messenger(nil).FetchMedia(t.Context(), s.putMedia(x.mime, []byte(x.data)))
			if x.ok {
				assert.NoError(t, err)
			} else {
				assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
			}
		})
	}
}
