package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
)

const vendorKey = "e2e-vendor-key"

// vendorServer is a vendor on this machine. What it is asked to say aloud is kept.
type vendorServer struct {
	t    *testing.T
	http *httptest.Server
	// down makes it answer 503; hang makes it say nothing after a model's headers.
	down, hang atomic.Bool
	calls      atomic.Int64

	mu     sync.Mutex
	spoken []string
}

func newVendorServer(t *testing.T, routes func(v *vendorServer, w http.ResponseWriter, r *http.Request, body []byte)) *vendorServer {
	t.Helper()
	v := &vendorServer{t: t}
	v.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller gave up
		}
		if r.Method == http.MethodHead && r.URL.Path == "/" {
			assert.Empty(t, r.Header.Get("Authorization"), "a visit that keeps the connection open carries no key")
			return
		}
		v.calls.Add(1)
		if v.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if v.hang.Load() {
			<-r.Context().Done()
			return
		}
		routes(v, w, r, body)
	}))
	t.Cleanup(func() {
		v.http.CloseClientConnections()
		v.http.Close()
	})
	return v
}

// says is the last text the vendor was asked to say aloud.
func (v *vendorServer) says() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.spoken) == 0 {
		return ""
	}
	return v.spoken[len(v.spoken)-1]
}

func (v *vendorServer) speak(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.spoken = append(v.spoken, text)
}

// wordsIn finds what is said in a recording of the tests.
func wordsIn(clip []byte) string {
	_, after, found := bytes.Cut(clip, []byte("TRANSCRIPT="))
	if !found {
		return ""
	}
	// A comment stands behind its length; the next one begins with its own.
	at := bytes.Index(clip, []byte("TRANSCRIPT="))
	n := int(binary.LittleEndian.Uint32(clip[at-4:])) - len("TRANSCRIPT=")
	return string(after[:min(n, len(after))])
}

// tone is 24 kHz PCM, 60 ms for each character.
func tone(text string) []byte {
	var out []byte
	for i := range 24 * 60 * len(text) {
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(8000*math.Sin(float64(i)*2*math.Pi*220/24000))))
	}
	return out
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// geminiServer speaks the Gemini API: for its current library with server-sent
// events, for the one before with a JSON array and numbers for its enums.
func geminiServer(t *testing.T) *vendorServer {
	return newVendorServer(t, func(v *vendorServer, w http.ResponseWriter, r *http.Request, body []byte) {
		assert.Equal(t, vendorKey, r.Header.Get("X-Goog-Api-Key"))
		assert.NotContains(t, r.URL.RawQuery, vendorKey)
		var in struct {
			Contents []struct {
				Role  string
				Parts []struct {
					Text       string
					InlineData *struct{ Data string }
				}
			}
			GenerationConfig struct{ ResponseModalities []string }
		}
		if !assert.NoError(t, json.Unmarshal(body, &in)) || !assert.NotEmpty(t, in.Contents) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		last := in.Contents[len(in.Contents)-1].Parts
		text, words := "", ""
		for _, p := range last {
			text += unfenced(p.Text)
			if p.InlineData != nil {
				clip, err := base64.StdEncoding.DecodeString(p.InlineData.Data)
				assert.NoError(t, err)
				words = wordsIn(clip)
			}
		}
		switch {
		case len(in.GenerationConfig.ResponseModalities) > 0:
			v.speak(text)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"audio/L16;codec=pcm;rate=24000","data":%q}}]},"finishReason":"STOP"}]}`,
				base64.StdEncoding.EncodeToString(tone(text)))
		case words != "":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":%s}]},"finishReason":"STOP"}]}`,
				quoted(fmt.Sprintf(`{"audible":0.95,"language":"en","text":%s}`, quoted(words))))
		case r.URL.Query().Get("alt") == "sse":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"You said: \"}]}}]}\r\n\r\n")
			fmt.Fprintf(w, "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":%s}]},\"finishReason\":\"STOP\"}]}\r\n\r\n", quoted(text))
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `[{"candidates":[{"content":{"role":"model","parts":[{"text":"You said: "}]}}]},{"candidates":[{"content":{"role":"model","parts":[{"text":%s}]},"finishReason":1}]}]`, quoted(text))
		}
	})
}

// unfenced gives a user's words without the marks around them.
func unfenced(text string) string { return domain.Unfence(domain.FenceMessage, text) }

// openaiServer speaks OpenAI's API.
func openaiServer(t *testing.T) *vendorServer {
	return newVendorServer(t, func(v *vendorServer, w http.ResponseWriter, r *http.Request, body []byte) {
		assert.Equal(t, "Bearer "+vendorKey, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/v1/chat/completions":
			var in struct {
				Messages []struct{ Role, Content string }
			}
			if !assert.NoError(t, json.Unmarshal(body, &in)) || !assert.NotEmpty(t, in.Messages) {
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{"You said: ", unfenced(in.Messages[len(in.Messages)-1].Content)} {
				fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", quoted(piece))
				w.(http.Flusher).Flush()
			}
			_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		case "/v1/audio/transcriptions":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"text":%s,"language":"english","duration":2.0}`, quoted(wordsIn(body)))
		case "/v1/audio/speech":
			var in struct{ Input string }
			assert.NoError(t, json.Unmarshal(body, &in))
			v.speak(in.Input)
			clip, err := fake.Clip(in.Input, time.Duration(len(in.Input))*60*time.Millisecond)
			assert.NoError(t, err)
			w.Header().Set("Content-Type", "audio/ogg")
			_, _ = w.Write(clip.Bytes())
		default:
			assert.Fail(t, "unknown path "+r.URL.Path)
		}
	})
}

// answersAloud speaks to the bot and returns the voice note that comes back.
func answersAloud(t *testing.T, b *bot, ana *user, words string, heardBy func() string) {
	t.Helper()
	ana.speaks(recording(t, words))
	note := ana.gets()
	require.Equal(t, "audio", note.Type, "text: %s", note.Text)
	require.True(t, note.Media.Voice)
	validOpus(t, b.file(t, note))
	require.Equal(t, "You said: "+words, strings.TrimSpace(heardBy()))
	require.InDelta(t, 60*len("You said: "+words), note.Media.DurationMS, 400)
}
