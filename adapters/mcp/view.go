package mcp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"whatsappnode/ports"
)

var _ ports.ToolPort = (*view)(nil)

// view is what one list allows.
type view struct {
	all   *Servers
	allow []string
	list  atomic.Pointer[[]ports.Tool]
}

// List implements ports.ToolPort. A server that is down offers nothing.
func (v *view) List() []ports.Tool { return *v.list.Load() }

// refresh is called under the servers' lock.
func (v *view) refresh() {
	list := []ports.Tool{}
	for _, s := range v.all.servers {
		for _, t := range s.offered() {
			if v.allows(t.Name) {
				list = append(list, t)
			}
		}
	}
	slices.SortFunc(list, func(a, b ports.Tool) int { return strings.Compare(a.Name, b.Name) })
	v.list.Store(&list)
}

func (v *view) allows(name string) bool {
	prefix, _, _ := strings.Cut(name, "_")
	return slices.Contains(v.allow, name) || slices.Contains(v.allow, prefix+"_*")
}

// Call implements ports.ToolPort.
func (v *view) Call(ctx context.Context, call ports.ToolCall) (ports.ToolResult, error) {
	if err := ports.FromContext(ctx, op); err != nil {
		return ports.ToolResult{}, err
	}
	prefix, _, _ := strings.Cut(call.Name, "_")
	at := slices.IndexFunc(v.all.servers, func(s *server) bool { return s.cfg.Name == prefix })
	if at < 0 || !v.allows(call.Name) {
		return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindNotFound, Err: errors.New("there is no such tool")}
	}
	if !ports.IsObject(call.Arguments) {
		return ports.ToolResult{}, &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the arguments are no JSON object")}
	}
	return v.all.servers[at].call(ctx, call)
}
