package vendorhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/vendorhttp"
)

// server counts connections and visits.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	opened  int
	heads   int
	visited chan struct{}
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{visited: make(chan struct{}, 100)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			s.mu.Lock()
			s.heads++
			s.mu.Unlock()
			require.Empty(t, r.Header.Get("Authorization"))
			s.visited <- struct{}{}
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.opened++
			s.mu.Unlock()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) counts() (opened, heads int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, s.heads
}

func run(t *testing.T, c *vendorhttp.Connections) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		c.Close()
	})
}

func TestFirstCallFindsAnOpenConnection(t *testing.T) {
	s := newServer(t)
	c, err := vendorhttp.New(time.Hour)
	require.NoError(t, err)
	client := c.Client(s.URL + "/v1")
	stop := run(t, c)
	defer stop()
	<-s.visited
	// The connection is back in the pool once the visit's answer was read; a call that
	// comes before would open another, so the visit is let end first.
	require.Eventually(t, func() bool {
		before, _ := s.counts()
		resp, err := client.Post(s.URL+"/v1/chat", "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		after, _ := s.counts()
		return before == after
	}, 10*time.Second, time.Millisecond)
}

func TestServersAreVisitedAgain(t *testing.T) {
	s := newServer(t)
	c, err := vendorhttp.New(time.Second)
	require.NoError(t, err)
	c.Client(s.URL)
	stop := run(t, c)
	defer stop()
	for range 3 {
		<-s.visited
	}
}

func TestNobodyIsVisitedUnasked(t *testing.T) {
	s := newServer(t)
	for name, every := range map[string]time.Duration{"switched off": 0, "no vendor": time.Second} {
		t.Run(name, func(t *testing.T) {
			c, err := vendorhttp.New(every)
			require.NoError(t, err)
			if every == 0 {
				c.Client(s.URL)
			}
			stop := run(t, c)
			resp, err := c.Client("::no url::").Get(s.URL)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			stop()
			_, heads := s.counts()
			require.Zero(t, heads)
		})
	}
}

func TestServerThatIsDownDisturbsNobody(t *testing.T) {
	s := newServer(t)
	down := newServer(t)
	down.Close()
	c, err := vendorhttp.New(time.Second)
	require.NoError(t, err)
	c.Client(down.URL)
	c.Client(s.URL)
	type visit struct {
		server string
		err    error
	}
	visits := make(chan visit, 100)
	c.OnVisit(func(server string, err error) { visits <- visit{server, err} })
	stop := run(t, c)
	<-s.visited
	<-s.visited
	for seen := map[string]bool{}; len(seen) < 2; {
		v := <-visits
		seen[v.server] = true
		if v.server == down.URL {
			require.Error(t, v.err)
			continue
		}
		require.Equal(t, s.URL, v.server)
		require.NoError(t, v.err)
	}
	stop()
	_, err = vendorhttp.New(time.Millisecond)
	require.ErrorContains(t, err, "under a second")
}

// TestVisitThatTheEndCutsShortSaysNothing of the server, which was slow at most.
func TestVisitThatTheEndCutsShortSaysNothing(t *testing.T) {
	asked, end := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-end
	}))
	defer s.Close()
	defer close(end)
	c, err := vendorhttp.New(time.Hour)
	require.NoError(t, err)
	c.Client(s.URL)
	c.OnVisit(func(server string, err error) { t.Errorf("%s: %v", server, err) })
	stop := run(t, c)
	<-asked
	stop()
}
