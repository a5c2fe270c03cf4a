package mcp

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	// startTimeout bounds starting, the handshake and the list of tools: programs in
	// JavaScript take seconds on a small machine.
	startTimeout = 30 * time.Second
	// refreshEvery is how often a server is asked for its tools, which also tells
	// whether it is there.
	refreshEvery = time.Minute
	// A server that died is tried again after firstWait, then twice as long each time, up to
	// longestWait. One that held for as long begins anew.
	firstWait   = 500 * time.Millisecond
	longestWait = time.Minute
)

// server is one MCP server and the connection to it.
type server struct {
	cfg     Server
	all     *Servers
	dead    chan struct{} // a call found the connection broken
	changed chan struct{} // the server says that its tools changed

	mu      sync.Mutex
	session *sdk.ClientSession // nil while it is down
	tools   tools              // those of the latest connection
	err     error              // why it is down
}

func newServer(cfg Server, all *Servers) *server {
	return &server{cfg: cfg, all: all, dead: make(chan struct{}, 1), changed: make(chan struct{}, 1), err: ErrStarting}
}

func (s *server) health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *server) offered() []ports.Tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	return s.tools.list
}

// run connects again and again until ctx ends.
func (s *server) run(ctx context.Context) {
	for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, longestWait) {
		began := time.Now()
		err := s.serve(ctx)
		if ctx.Err() != nil {
			err = errors.New("it was ended")
		}
		s.set(nil, tools{}, err)
		if time.Since(began) > longestWait {
			wait = firstWait
		}
		// Servers that died together do not come together.
		pause(ctx, wait/2+rand.N(wait/2)) // #nosec G404 -- it spreads restarts, it keeps no secret
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// set notes the state and tells of it. A server that went down keeps its tools, so that
// a call of one is told that it is not there, not that it never was.
func (s *server) set(session *sdk.ClientSession, offers tools, err error) {
	s.mu.Lock()
	news := (s.err == nil) != (err == nil) || s.err == ErrStarting
	s.session, s.err = session, err
	if session != nil {
		s.tools = offers
	}
	s.mu.Unlock()
	s.all.publish()
	if !news {
		return
	}
	state := State{Server: s.cfg.Name, Err: err, Tools: len(offers.list)}
	if err == nil {
		state.Missing = s.all.missing(s.cfg.Name, func(name string) bool { _, ok := offers.names[name]; return ok })
	}
	s.all.opt.OnState(state)
}

// serve makes one connection and returns why it ended.
func (s *server) serve(ctx context.Context) error {
	w, err := s.open()
	if err != nil {
		return err
	}
	defer w.close()
	start, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	session, err := s.all.client(func() { nudge(s.changed) }).Connect(start, w.transport, nil)
	if err != nil {
		return w.explain("the handshake failed")
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = session.Wait()
	}()
	defer func() {
		w.leave(func() { _ = session.Close() })
		<-ended
	}()
	offers, err := s.list(start, session)
	if err != nil {
		return w.explain("its tools cannot be listed")
	}
	drain(s.dead)
	s.set(session, offers, nil)
	return s.watch(ctx, session, ended, w)
}

// watch returns when the connection is of no more use.
func (s *server) watch(ctx context.Context, session *sdk.ClientSession, ended chan struct{}, w *wire) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return w.explain("the connection ended")
		case <-s.dead:
			return w.explain("a call found the connection broken")
		case <-s.changed:
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(ctx, startTimeout)
		offers, err := s.list(limited, session)
		cancel()
		if err != nil {
			return w.explain("its tools cannot be listed any more")
		}
		s.set(session, offers, nil)
	}
}

// list asks for all tools.
func (s *server) list(ctx context.Context, session *sdk.ClientSession) (tools, error) {
	var all []*sdk.Tool
	params := &sdk.ListToolsParams{}
	for range maxPages {
		page, err := session.ListTools(ctx, params)
		if err != nil {
			return tools{}, err
		}
		all = append(all, page.Tools...)
		if page.NextCursor == "" || len(all) >= maxTools {
			break
		}
		params = &sdk.ListToolsParams{Cursor: page.NextCursor}
	}
	return offer(s.cfg.Name, all), nil
}

// call runs one tool.
func (s *server) call(ctx context.Context, call ports.ToolCall) (ports.ToolResult, error) {
	s.mu.Lock()
	session, name := s.session, s.tools.names[call.Name]
	s.mu.Unlock()
	switch {
	case name == "" && session != nil:
		return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindNotFound, Err: errors.New("there is no such tool")}
	case session == nil:
		return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindTransient, Err: errors.New("the tool's server is not there")}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: name, Arguments: call.Arguments})
	out := ports.ToolResult{ID: call.ID, Name: call.Name}
	var refused *jsonrpc.Error
	switch {
	case err == nil && result.NeedsInput():
		return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindUnsupported, Err: errors.New("the tool wants to ask somebody something")}
	case err == nil:
		out.Text, out.Failed = cut(textOf(result), s.cfg.MaxResult), result.IsError
		return out, nil
	case ctx.Err() != nil:
		return ports.ToolResult{}, ports.FromContext(ctx, op)
	case errors.As(err, &refused) && isAnswer(refused.Code):
		// The server did not like the call, and says why: the model can mend it.
		out.Text, out.Failed = cut(domain.CleanText(refused.Message), s.cfg.MaxResult), true
		return out, nil
	}
	nudge(s.dead)
	return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindTransient, MaybeDone: true, Err: errors.New("the connection to the tool's server broke")}
}

// isAnswer reports whether a code is one a server answers a call with. The library uses
// others of the same range for connections that are closing.
func isAnswer(code int64) bool {
	switch code {
	case jsonrpc.CodeInvalidParams, jsonrpc.CodeInternalError, jsonrpc.CodeInvalidRequest, jsonrpc.CodeMethodNotFound:
		return true
	}
	return code > -32000 || code < -32768 // an application's own
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
