package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/mcp"
	"whatsappnode/adapters/settings"
	"whatsappnode/ports"
)

// ToolConfig says which tools the model may call, and how often.
type ToolConfig struct {
	Allow settings.List `env:"TOOLS" doc:"Tools that the model may call, comma-separated: shop_price for one, shop_* for all of the server shop. The servers stand in MCP_SERVERS_FILE. Empty: none. docs/tools.md is the manual."`
	Calls int           `env:"TOOL_CALLS" envDefault:"8" validate:"min=1,max=64" doc:"Calls of tools that one answer may take; then the model must answer with what it knows."`
}

// toolServers are the MCP servers and what they were configured from.
type toolServers struct {
	*mcp.Servers // nil: there are none
	named        []settings.Var
}

// openTools reads the servers and gives each agent the tools it may use. It starts
// nothing. Every fault is told, and every number whose model cannot call tools.
func openTools(cfg Config, getenv settings.Getenv, all agents, w *watch) (toolServers, []error) {
	wanted := slices.ContainsFunc(all, func(a agent) bool { return len(a.tools.Allow) > 0 })
	switch {
	case cfg.MCPServersFile == "" && !wanted:
		return toolServers{}, nil
	case cfg.MCPServersFile == "":
		return toolServers{}, []error{errors.New("TOOLS: names tools, but MCP_SERVERS_FILE names no servers")}
	}
	var t toolServers
	vault := newVault(cfg, getenv)
	configs, err := mcp.Load(cfg.MCPServersFile, func(variable string) (func() string, error) {
		t.named = append(t.named, settings.Var{Name: variable})
		source, err := vault.find(variable)
		return source.Current, err
	})
	if err == nil {
		t.Servers, err = mcp.New(configs, mcp.Options{Version: Version, OnState: w.tools})
	}
	if err != nil {
		return toolServers{}, serverFaults(err)
	}
	var faults []error
	if !wanted {
		faults = append(faults, errors.New("MCP_SERVERS_FILE: names servers, but no tool of theirs is allowed; name some in TOOLS"))
	}
	for i := range all {
		faults = append(faults, t.give(&all[i])...)
	}
	return t, distinct(faults)
}

// give lets an agent use what its list allows.
func (t toolServers) give(a *agent) (faults []error) {
	if len(a.tools.Allow) == 0 {
		return nil
	}
	fault := func(err error) {
		if a.toolsAt.Line > 0 {
			err = at(a.toolsAt, err)
		} else {
			err = fmt.Errorf("TOOLS: %w", err)
		}
		faults = append(faults, err)
	}
	for _, entry := range t.Stray(a.tools.Allow) {
		fault(fmt.Errorf("%q names no tool of a server; an entry is a server's name, _ and a tool's name or *, and the servers are %s", entry, strings.Join(t.Names(), ", ")))
	}
	if a.engines.llm != nil && !ports.CallsTools(a.engines.llm) {
		fault(fmt.Errorf("the model of LLM_PROVIDER (%s) cannot call tools; each provider of the list must be able to. genai, openai and anthropic are, gemini, patternai and offline are not, and OpenAI's models of the sixth generation only without reasoning", a.engines.names["LLM"]))
		return faults
	}
	a.persona.Tools, a.persona.ToolCalls = t.Only(a.tools.Allow), a.tools.Calls
	return faults
}

func serverFaults(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("MCP_SERVERS_FILE: %w", err)}
	}
	var out []error
	for _, each := range joined.Unwrap() {
		out = append(out, fmt.Errorf("MCP_SERVERS_FILE: %w", each))
	}
	return out
}

// tools tells that a server of tools is there, or not any more.
func (w *watch) tools(s mcp.State) {
	if s.Err != nil {
		w.logger().Warn("tools.down", zap.String("event", "tools.down"), zap.String("server", s.Server), zap.String("reason", s.Err.Error()))
		return
	}
	w.logger().Info("tools.up", zap.String("event", "tools.up"), zap.String("server", s.Server), zap.Int("tools", s.Tools))
	if len(s.Missing) > 0 {
		w.logger().Warn("tools.missing", zap.String("event", "tools.missing"), zap.String("server", s.Server), zap.Strings("tools", s.Missing))
	}
}

// run keeps the servers connected until ctx ends, and their programs no longer.
func (t toolServers) run(ctx context.Context) error {
	if t.Servers == nil {
		return nil
	}
	return t.Run(ctx)
}

// tell adds the servers to the answer about readiness. One that is down makes nobody
// less ready: the model answers without its tools.
func (t toolServers) tell(cfg Config, o *echohttp.Options) {
	if t.Servers == nil || cfg.Role == roleServe {
		return
	}
	o.Asides = map[string]echohttp.Check{}
	for _, name := range t.Names() {
		o.Asides["tools."+name] = func(context.Context) error { return t.Health(name) }
	}
}
