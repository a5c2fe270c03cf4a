package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/mcp"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// childEnv makes this test binary the program of a server: it passes its input and
// output on to an address, where the test serves. So the program, its pipes and its end
// are real, and the tools are functions of the test.
const childEnv = "MCP_TEST_CHILD"

func TestMain(m *testing.M) {
	if addr := os.Getenv(childEnv); addr != "" {
		child(addr)
		return
	}
	os.Exit(m.Run())
}

func child(addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		os.Exit(3)
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin)
		os.Exit(0) // the end of the input is the end of the program
	}()
	_, _ = io.Copy(os.Stdout, conn)
	os.Exit(4) // the test hung up
}

// serving is an MCP server of the test's with the suite's tools.
func serving(tools []porttest.TestTool) *sdk.Server {
	server := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	for _, each := range tools {
		server.AddTool(&sdk.Tool{Name: each.Name, Description: each.Description, InputSchema: each.Schema},
			func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				var arguments map[string]any
				_ = json.Unmarshal(req.Params.Arguments, &arguments)
				text, failed := each.Run(ctx, arguments)
				return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, IsError: failed}, nil
			})
	}
	return server
}

// hub serves programs that dial it, and can hang up on them.
type hub struct {
	t        *testing.T
	listener net.Listener
	server   *sdk.Server
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	dials int
}

func newHub(t *testing.T, server *sdk.Server) *hub {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &hub{t: t, listener: l, server: server}
	h.running.Go(h.accept)
	t.Cleanup(func() {
		_ = l.Close()
		h.hangUp()
		h.running.Wait()
	})
	return h
}

func (h *hub) accept() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		h.conns, h.dials = append(h.conns, conn), h.dials+1
		h.mu.Unlock()
		h.running.Go(func() {
			_ = h.server.Run(context.Background(), &sdk.IOTransport{Reader: conn, Writer: conn}) // until the connection ends
		})
	}
}

func (h *hub) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		_ = c.Close()
	}
	h.conns = nil
}

func (h *hub) dialled() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dials
}

// program is a server whose program dials the hub.
func (h *hub) program() mcp.Server {
	return mcp.Server{Name: "shop", Command: []string{os.Args[0]}, Env: map[string]func() string{childEnv: always(h.listener.Addr().String())}}
}

func always(text string) func() string { return func() string { return text } }

// remote is the same tools as a service.
func remote(t *testing.T, server *sdk.Server, before func(http.Handler) http.Handler) mcp.Server {
	t.Helper()
	var handler http.Handler = sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil)
	if before != nil {
		handler = before(handler)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return mcp.Server{Name: "shop", URL: s.URL}
}

// states are what happened to the servers.
type states struct {
	mu   sync.Mutex
	all  []mcp.State
	news chan struct{}
}

func (s *states) add(st mcp.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, st)
	close(s.news)
	s.news = make(chan struct{})
}

// until waits for the n-th state that is wanted.
func (s *states) until(t *testing.T, n int, want func(mcp.State) bool) mcp.State {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		s.mu.Lock()
		found, news := 0, s.news
		for _, st := range s.all {
			if want(st) {
				if found++; found == n {
					s.mu.Unlock()
					return st
				}
			}
		}
		s.mu.Unlock()
		select {
		case <-news:
		case <-limit:
			t.Fatalf("waited in vain for a state; there were %s", fmt.Sprint(s.all))
		}
	}
}

func up(st mcp.State) bool   { return st.Err == nil }
func down(st mcp.State) bool { return st.Err != nil }

// rig runs servers until the test ends.
type rig struct {
	*mcp.Servers
	states *states
	stop   func()
}

func run(t *testing.T, configs ...mcp.Server) *rig {
	t.Helper()
	r := &rig{states: &states{news: make(chan struct{})}}
	var err error
	r.Servers, err = mcp.New(configs, mcp.Options{Version: "test", OnState: r.states.add})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)
	return r
}

func everything(r *rig) ports.ToolPort { return r.Only([]string{"shop_*"}) }
