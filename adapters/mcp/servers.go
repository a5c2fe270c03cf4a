package mcp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"whatsappnode/ports"
)

const op = "mcp.call"

// Options say what the servers are told and who is told of them.
type Options struct {
	// Version is this program's, for the handshake.
	Version string
	// OnState is told when a server came up or went down; nil tells nobody. It must
	// return at once.
	OnState func(State)
}

// State is how a server does.
type State struct {
	Server string
	// Err is why its tools cannot be called, or nil. Its text is safe to log.
	Err error
	// Tools is how many it offers.
	Tools int
	// Missing are tools that a list names and the server does not have.
	Missing []string
}

// ErrStarting is a server's state before its first connection.
var ErrStarting = errors.New("it has not been connected yet")

// Servers is a set of MCP servers. Its methods may be called concurrently.
type Servers struct {
	servers []*server
	opt     Options

	mu    sync.Mutex
	views []*view
}

// New checks the configuration and lists all its faults. It starts nothing.
func New(configs []Server, opt Options) (*Servers, error) {
	if opt.OnState == nil {
		opt.OnState = func(State) {}
	}
	all := &Servers{opt: opt}
	var faults []error
	for i, c := range configs {
		c, wrong := c.complete()
		if slices.ContainsFunc(configs[:i], func(before Server) bool { return before.Name == c.Name }) {
			wrong = append(wrong, errors.New("name is another server's"))
		}
		for _, f := range wrong {
			faults = append(faults, fmt.Errorf("server %d: %w", i+1, f))
		}
		all.servers = append(all.servers, newServer(c, all))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return all, nil
}

// client is made anew for each connection: the library keeps its sessions.
func (all *Servers) client(changed func()) *sdk.Client {
	return sdk.NewClient(&sdk.Implementation{Name: "whatsapp-node", Version: all.opt.Version}, &sdk.ClientOptions{
		Capabilities:           &sdk.ClientCapabilities{}, // none: no roots, no sampling, no elicitation
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { changed() },
		MultiRoundTrip:         &sdk.MultiRoundTripOptions{Disabled: true},
	})
}

// Run keeps the servers connected until ctx ends, and returns nil when every program it
// started has ended. It must be called once.
func (all *Servers) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, s := range all.servers {
		running.Go(func() { s.run(ctx) })
	}
	running.Wait()
	return nil
}

// Names are those of the servers, in their order.
func (all *Servers) Names() (names []string) {
	for _, s := range all.servers {
		names = append(names, s.cfg.Name)
	}
	return names
}

// Health says why the tools of a server cannot be called, or nil.
func (all *Servers) Health(name string) error {
	for _, s := range all.servers {
		if s.cfg.Name == name {
			return s.health()
		}
	}
	return fmt.Errorf("there is no such server")
}

// Stray are those entries of a list that cannot name a tool of any server.
func (all *Servers) Stray(allow []string) (stray []string) {
	for _, entry := range allow {
		server, tool, _ := strings.Cut(entry, "_")
		if tool == "" || !slices.Contains(all.Names(), server) || tool != "*" && !ports.ToolNameOK(entry) {
			stray = append(stray, entry)
		}
	}
	return stray
}

// Only offers the tools that a list allows: names such as shop_price, or shop_* for all
// of a server's. An empty list allows none.
func (all *Servers) Only(allow []string) ports.ToolPort {
	v := &view{all: all, allow: slices.Clone(allow)}
	all.mu.Lock()
	defer all.mu.Unlock()
	all.views = append(all.views, v)
	v.refresh()
	return v
}

// publish makes what servers offer now known to the views.
func (all *Servers) publish() {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, v := range all.views {
		v.refresh()
	}
}

// missing are the tools that lists name and a server does not have.
func (all *Servers) missing(server string, has func(name string) bool) (out []string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, v := range all.views {
		for _, entry := range v.allow {
			prefix, tool, _ := strings.Cut(entry, "_")
			if prefix == server && tool != "*" && !has(entry) && !slices.Contains(out, entry) {
				out = append(out, entry)
			}
		}
	}
	return out
}
