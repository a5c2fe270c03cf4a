package echohttp_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const mib = 1 << 20

// unsized hides a reader's length, so that the client sends it in chunks.
type unsized struct{ io.Reader }

func padded(size int) []byte {
	const frame = `{"messages":["wamid.A"],"pad":""}`
	b := []byte(`{"messages":["wamid.A"],"pad":"` + strings.Repeat("x", size-len(frame)) + `"}`)
	return b
}

func (h *harness) postReader(signature string, body io.Reader) reply {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+"/webhook", body)
	require.NoError(h.t, err)
	req.Header.Set("X-Hub-Signature-256", signature)
	return h.send(req)
}

func TestBodyCap(t *testing.T) {
	h := start(t)
	for _, c := range []struct {
		size, want int
	}{
		{100, 200}, {16 << 10, 200}, {16<<10 + 1, 200}, {mib, 200}, {4 * mib, 200}, {4*mib + 1, 413}, {5 * mib, 413},
	} {
		body := padded(c.size)
		require.Len(t, body, c.size)
		for form, reader := range map[string]io.Reader{"plain": bytes.NewReader(body), "chunked": unsized{bytes.NewReader(body)}} {
			name := fmt.Sprintf("%d bytes %s", c.size, form)
			r := h.postReader(sign(body), reader)
			assert.Equal(t, c.want, r.code, name)
			if c.want == 413 {
				assert.Equal(t, `{"error":"too_large"}`, r.body, name)
			}
		}
	}
	assert.EqualValues(t, 4, h.server.Counters().TooLarge)
}

func TestTooLargeIsRefusedEarly(t *testing.T) {
	t.Run("BeforeAnyBodyCame", func(t *testing.T) {
		h := start(t)
		c := h.dial()
		fmt.Fprintf(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 5*mib)
		r := bufio.NewReader(c)
		assert.Equal(t, http.StatusRequestEntityTooLarge, response(t, r).code)
		closed(t, r)
	})
	t.Run("ExpectContinue", func(t *testing.T) {
		h := start(t)
		c := h.dial()
		fmt.Fprintf(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", 5*mib)
		r := bufio.NewReader(c)
		assert.Equal(t, http.StatusRequestEntityTooLarge, response(t, r).code, "413 comes instead of 100")
		closed(t, r)
	})
	t.Run("ToOneWhoWritesBeforeReading", func(t *testing.T) {
		h := start(t)
		c := h.dial()
		fmt.Fprintf(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 8*mib)
		_, err := c.Write(bytes.Repeat([]byte("x"), 8*mib))
		require.NoError(t, err, "the connection must not be reset under the client's feet")
		r := bufio.NewReader(c)
		assert.Equal(t, http.StatusRequestEntityTooLarge, response(t, r).code)
		closed(t, r)
	})
	for name, head := range map[string]string{
		"EndlessPlain":   "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n",
		"EndlessChunked": "POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t)
			c := h.dial()
			_, err := io.WriteString(c, head)
			require.NoError(t, err)
			chunk := []byte("10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n")
			sent := 0
			for sent < 256*mib {
				n, err := c.Write(chunk)
				sent += n
				if err != nil {
					break
				}
			}
			assert.Less(t, sent, 256*mib, "the server must cut off a client that sends without end")
		})
	}
}

func TestSlowClientsAreClosed(t *testing.T) {
	// In each case the other time-outs are too long to be the cause.
	slowHeader := echohttp.Limits{ReadHeaderTimeout: 50 * time.Millisecond, ReadTimeout: time.Hour}
	for name, c := range map[string]struct {
		limits echohttp.Limits
		sent   string
	}{
		"Silent":     {slowHeader, ""},
		"HalfHeader": {slowHeader, "POST /webhook HTTP/1.1\r\nHost: x\r\nX-Slow: "},
		"Idle":       {echohttp.Limits{IdleTimeout: 50 * time.Millisecond, ReadTimeout: time.Hour}, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := start(t, limits(c.limits)).dial()
			_, err := io.WriteString(conn, c.sent)
			require.NoError(t, err)
			closed(t, conn)
		})
	}
	t.Run("HalfBody", func(t *testing.T) {
		h := start(t, limits(echohttp.Limits{ReadTimeout: 100 * time.Millisecond}))
		c := h.dial()
		_, err := io.WriteString(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
		require.NoError(t, err)
		r := bufio.NewReader(c)
		got := response(t, r)
		assert.Equal(t, http.StatusRequestTimeout, got.code)
		assert.Equal(t, `{"error":"timeout"}`, got.body)
		closed(t, r)
		assert.EqualValues(t, 1, h.server.Counters().Timeout)
	})
	t.Run("LongHeader", func(t *testing.T) {
		c := start(t).dial()
		_, err := io.WriteString(c, "GET /live HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
		require.NoError(t, err)
		r := bufio.NewReader(c)
		// The answer is 431, unless the reset for the unread rest overtakes it.
		if res, err := http.ReadResponse(r, nil); err == nil {
			assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
			require.NoError(t, res.Body.Close())
		}
		closed(t, r)
	})
}

// blocking makes an intake whose calls wait until they are let go.
func blocking(h *harness) (entered chan struct{}, leave chan struct{}) {
	entered, leave = make(chan struct{}, 10), make(chan struct{})
	admit := remembering()
	h.intake.receive = func(ctx context.Context, env domain.Envelope) (ports.Receipt, error) {
		entered <- struct{}{}
		select {
		case <-leave:
			return admit(ctx, env)
		case <-ctx.Done():
			return ports.Receipt{}, ports.FromContext(ctx, "store.admit")
		}
	}
	return entered, leave
}

// later posts beside the test and hands over the answer.
func (h *harness) later(body string) chan reply {
	out := make(chan reply, 1)
	go func() {
		req, _ := http.NewRequest(http.MethodPost, h.url+"/webhook", strings.NewReader(body))
		req.Header.Set("X-Hub-Signature-256", sign([]byte(body)))
		res, err := h.client.Do(req)
		if err != nil {
			out <- reply{body: err.Error()}
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		out <- reply{res.StatusCode, string(b), res.Header}
	}()
	return out
}

func TestConcurrencyLimit(t *testing.T) {
	h := start(t, limits(echohttp.Limits{MaxConcurrent: 2, IntakeTimeout: 30 * time.Second}))
	entered, leave := blocking(h)
	first, second := h.later(`{"messages":["wamid.1"]}`), h.later(`{"messages":["wamid.2"]}`)
	<-entered
	<-entered
	r := h.post(`{"messages":["wamid.3"]}`)
	assert.Equal(t, http.StatusServiceUnavailable, r.code)
	assert.Equal(t, `{"error":"busy"}`, r.body)
	assert.Equal(t, "1", r.header.Get("Retry-After"))
	assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/live", "").code, "probes are not limited")
	close(leave)
	assert.Equal(t, http.StatusOK, (<-first).code)
	assert.Equal(t, http.StatusOK, (<-second).code)
	assert.Equal(t, http.StatusOK, h.post(`{"messages":["wamid.3"]}`).code, "the places are free again")
	assert.EqualValues(t, 1, h.server.Counters().Busy)
}

func TestSlowSendersTakeNoPlace(t *testing.T) {
	h := start(t, limits(echohttp.Limits{MaxConcurrent: 1}))
	for range 5 {
		_, err := io.WriteString(h.dial(), "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
		require.NoError(t, err)
	}
	assert.Equal(t, http.StatusOK, h.post(`{"messages":["wamid.1"]}`).code)
}

func TestMemoryBudget(t *testing.T) {
	const size = 64 << 10
	h := start(t, limits(echohttp.Limits{MaxBody: size, MaxBodyMemory: size, ReadTimeout: 30 * time.Second}))
	body := padded(size)
	big := func() reply { return h.postReader(sign(body), bytes.NewReader(body)) }

	// Nothing outside says when half a body was read, so ask until it shows. Whoever asks
	// may have the budget just when the half body wants it; then another one tries.
	var c net.Conn
	for full := false; !full; {
		require.NoError(t, t.Context().Err())
		c = h.dial()
		fmt.Fprintf(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n", sign(body), size)
		_, err := c.Write(body[:size/2])
		require.NoError(t, err)
		for range 200 {
			if full = big().code == http.StatusServiceUnavailable; full {
				break
			}
		}
	}
	assert.Equal(t, http.StatusOK, h.post(`{"messages":["wamid.1"]}`).code, "an ordinary webhook needs no budget")

	_, err := c.Write(body[size/2:])
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response(t, bufio.NewReader(c)).code)
	assert.Equal(t, http.StatusOK, big().code, "the memory is free again")
}

func TestConnectionCap(t *testing.T) {
	h := start(t, limits(echohttp.Limits{MaxConnections: 1}))
	first := h.dial()
	r := bufio.NewReader(first)
	fmt.Fprint(first, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Equal(t, http.StatusOK, response(t, r).code)

	second := h.dial() // waits in the kernel's queue
	fmt.Fprint(second, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
	answered := make(chan reply, 1)
	go func() { answered <- response(t, bufio.NewReader(second)) }()
	fmt.Fprint(first, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Equal(t, http.StatusOK, response(t, r).code)
	select {
	case <-answered:
		t.Fatal("a connection above the cap was served")
	default:
	}
	require.NoError(t, first.Close())
	assert.Equal(t, http.StatusOK, (<-answered).code)
}

func TestDrain(t *testing.T) {
	gone := func(h *harness) func() bool {
		return func() bool {
			c, err := net.Dial("tcp", h.addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		}
	}
	t.Run("FinishesWhatIsInFlight", func(t *testing.T) {
		h := start(t, limits(echohttp.Limits{DrainTimeout: 30 * time.Second, IntakeTimeout: 30 * time.Second}))
		entered, leave := blocking(h)
		first := h.later(`{"messages":["wamid.1"]}`)
		<-entered
		h.stop()
		require.Eventually(t, gone(h), 30*time.Second, time.Millisecond, "it stops accepting")
		select {
		case err := <-h.done:
			t.Fatalf("Run returned with a request in flight: %v", err)
		default:
		}
		close(leave)
		r := <-first
		assert.Equal(t, `{"status":"accepted","message_id":"wamid.1"}`, r.body)
		err := <-h.done
		h.done <- err
		assert.NoError(t, err)
	})
	t.Run("CutsOffWhatDoesNotFinish", func(t *testing.T) {
		h := start(t, limits(echohttp.Limits{DrainTimeout: 10 * time.Millisecond, IntakeTimeout: 30 * time.Second}))
		entered, _ := blocking(h)
		first := h.later(`{"messages":["wamid.1"]}`)
		<-entered
		h.stop()
		err := <-h.done
		h.done <- err
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NotEqual(t, http.StatusOK, (<-first).code)
	})
	t.Run("SaysSoBeforeItStops", func(t *testing.T) {
		h := start(t, limits(echohttp.Limits{DrainDelay: 2 * time.Second}))
		assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/ready", "").code)
		h.stop()
		require.Eventually(t, func() bool {
			r := h.do(http.MethodGet, "/ready", "")
			return r.code == http.StatusServiceUnavailable && r.body == `{"status":"draining"}`
		}, 30*time.Second, time.Millisecond)
	})
}
