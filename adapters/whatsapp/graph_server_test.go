package whatsapp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
)

const testToken = "EAAG-test-token"

// graphServer speaks the part of Meta's protocol that Messenger uses, on a loopback
// address, and checks every request on its way.
type graphServer struct {
	t   *testing.T
	web *httptest.Server

	mu       sync.Mutex
	token    string
	requests []recorded // every request, in order
	sends    []map[string]any
	attempts int
	receipts []map[string]any
	media    map[string]*graphMedia
	nextID   int

	nextSend   func(w http.ResponseWriter, body map[string]any) (accept bool) // for one send; nil answers as usual
	nextUpload func(w http.ResponseWriter)                                    // for one upload
	nextLookup func(w http.ResponseWriter, m *graphMedia) bool                // for one GET of a media id; true: answered
	download   func(w http.ResponseWriter, r *http.Request, m *graphMedia) bool
}

type recorded struct {
	method, path, query, contentType, auth string
}

type graphMedia struct {
	id, mime string
	data     []byte
	sum      string // as said by the lookup
	lookups  int
	expired  bool // the URL; the id works
}

func newGraphServer(t *testing.T) *graphServer {
	t.Helper()
	s := &graphServer{t: t, token: testToken, media: map[string]*graphMedia{}}
	s.web = httptest.NewServer(s)
	t.Cleanup(s.web.Close)
	return s
}

// messenger makes a messenger for the server; mend may change its settings.
func (s *graphServer) messenger(mend func(*whatsapp.Config)) *whatsapp.Messenger {
	s.t.Helper()
	u, err := url.Parse(s.web.URL)
	require.NoError(s.t, err)
	cfg := whatsapp.Config{
		AccessToken: func() string { return testToken }, PhoneNumberID: number,
		BaseURL: s.web.URL, MediaHosts: []string{u.Host}, MaxMediaBytes: mediaLimit,
	}
	if mend != nil {
		mend(&cfg)
	}
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	m, err := whatsapp.New(cfg, &http.Client{Transport: transport})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { assert.NoError(s.t, m.Close()) })
	return m
}

const mediaLimit = 1 << 20

func (s *graphServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("Authorization")})
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		graphErr(w, 401, 190, "Error validating access token")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v26.0/")
	parts := strings.Split(path, "/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/media/"):
		s.serveMedia(w, r)
	case !ok:
		graphErr(w, 400, 2500, "Unknown path components")
	case r.Method == http.MethodPost && len(parts) == 2 && parts[1] == "messages":
		s.serveMessages(w, r, parts[0])
	case r.Method == http.MethodPost && len(parts) == 2 && parts[1] == "media":
		s.serveUpload(w, r)
	case r.Method == http.MethodGet && len(parts) == 1:
		s.serveLookup(w, r, parts[0])
	default:
		graphErr(w, 400, 100, "Unsupported request")
	}
}

func (s *graphServer) serveMessages(w http.ResponseWriter, r *http.Request, from string) {
	var body map[string]any
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&body) != nil || body["messaging_product"] != "whatsapp" {
		graphErr(w, 400, 100, "Invalid parameter")
		return
	}
	body["phone_number_id"] = from
	if body["status"] == "read" {
		s.receipts = append(s.receipts, body)
		answer(w, map[string]any{"success": true})
		return
	}
	s.attempts++
	if next := s.nextSend; next != nil {
		s.nextSend = nil
		if next(w, body) {
			s.sends = append(s.sends, body)
		}
		return
	}
	if audio, ok := body["audio"].(map[string]any); ok {
		if s.media[fmt.Sprint(audio["id"])] == nil || audio["voice"] != true || len(audio) != 2 {
			graphErr(w, 400, 131009, "Parameter value is not valid")
			return
		}
	}
	s.nextID++
	s.sends = append(s.sends, body)
	answer(w, map[string]any{
		"messaging_product": "whatsapp",
		"contacts":          []any{map[string]any{"input": body["to"], "wa_id": body["to"]}},
		"messages":          []any{map[string]any{"id": fmt.Sprintf("wamid.OUT%d", s.nextID)}},
	})
}

func (s *graphServer) serveUpload(w http.ResponseWriter, r *http.Request) {
	if next := s.nextUpload; next != nil {
		s.nextUpload = nil
		next(w)
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	file, head, fileErr := r.FormFile("file")
	if err != nil || fileErr != nil || kind != "multipart/form-data" || r.ContentLength <= 0 ||
		r.FormValue("messaging_product") != "whatsapp" || r.FormValue("type") != "audio/ogg" ||
		head.Header.Get("Content-Type") != "audio/ogg" || head.Filename == "" {
		graphErr(w, 400, 100, "(#100) Param file must be a file with one of the following types: audio/ogg")
		return
	}
	data, err := io.ReadAll(file)
	assert.NoError(s.t, err)
	m := s.put("audio/ogg", data)
	answer(w, map[string]any{"id": m.id})
}

func (s *graphServer) serveLookup(w http.ResponseWriter, r *http.Request, id string) {
	m := s.media[id]
	if m == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":{"message":"Unsupported get request. Object with ID does not exist","type":"GraphMethodException","code":100,"error_subcode":33,"fbtrace_id":"Ab1"}}`)
		return
	}
	m.lookups++
	if next := s.nextLookup; next != nil {
		s.nextLookup = nil
		if next(w, m) {
			return
		}
	}
	answer(w, map[string]any{
		"messaging_product": "whatsapp", "id": id, "mime_type": m.mime, "sha256": m.sum, "file_size": len(m.data),
		"url": fmt.Sprintf("%s/media/%s?visit=%d", s.web.URL, id, m.lookups),
	})
}

func (s *graphServer) serveMedia(w http.ResponseWriter, r *http.Request) {
	m := s.media[strings.TrimPrefix(r.URL.Path, "/media/")]
	if m == nil || m.expired {
		http.Error(w, "gone", http.StatusNotFound)
		return
	}
	if s.download != nil && s.download(w, r, m) {
		return
	}
	w.Header().Set("Content-Type", m.mime)
	_, _ = w.Write(m.data)
}

// put stores media. The caller holds the lock, or nothing runs yet.
func (s *graphServer) put(mimeType string, data []byte) *graphMedia {
	s.nextID++
	sum := sha256.Sum256(data)
	m := &graphMedia{id: fmt.Sprintf("1%015d", s.nextID), mime: mimeType, data: data, sum: hex.EncodeToString(sum[:])}
	s.media[m.id] = m
	return m
}

// putMedia stores what a user sent and refers to it as the webhook does, decoded.
func (s *graphServer) putMedia(mimeType string, data []byte) domain.MediaRef {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.put(mimeType, data)
	return domain.MediaRef{ID: domain.MediaID(m.id), Number: number, MIME: mimeType, SHA256: m.sum}
}

func (s *graphServer) locked(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// refuseNext answers one send with a Graph error.
func (s *graphServer) refuseNext(status, code int) func() {
	return func() {
		s.locked(func() {
			s.nextSend = func(w http.ResponseWriter, _ map[string]any) bool {
				graphErr(w, status, code, "the phone number 34600111222 and the text are none of your log's business")
				return false
			}
		})
	}
}

func graphErr(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": fmt.Sprintf("(#%d) %s", code, message), "type": "OAuthException", "code": code,
		"error_data": map[string]any{"messaging_product": "whatsapp", "details": message}, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUv",
	}})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// cut breaks the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func base64SHA(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}
