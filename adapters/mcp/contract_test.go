package mcp_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"whatsappnode/adapters/mcp"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

const resultLimit = 1000

// TestToolContract runs the suite on a program and on a service.
func TestToolContract(t *testing.T) {
	limited := func(s mcp.Server) mcp.Server { s.MaxResult = resultLimit; return s }
	ready := func(t *testing.T, s mcp.Server) (*rig, ports.ToolPort) {
		r := run(t, limited(s))
		r.states.until(t, 1, up)
		return r, everything(r)
	}
	t.Run("Program", func(t *testing.T) {
		porttest.TestTools(t, porttest.ToolHarness{
			Prefix: "shop_", Limit: resultLimit,
			New: func(t *testing.T, tools []porttest.TestTool) ports.ToolPort {
				_, port := ready(t, newHub(t, serving(tools)).program())
				return port
			},
			Down: func(t *testing.T, tools []porttest.TestTool) ports.ToolPort {
				h := newHub(t, serving(tools))
				r, port := ready(t, h.program())
				_ = h.listener.Close() // it cannot come back
				h.hangUp()
				r.states.until(t, 1, down)
				return port
			},
			Break: func(t *testing.T, tools []porttest.TestTool) ports.ToolPort {
				var h *hub
				h = newHub(t, serving(hangingUp(tools, func() { h.hangUp() })))
				_, port := ready(t, h.program())
				return port
			},
		})
	})
	t.Run("Service", func(t *testing.T) {
		porttest.TestTools(t, porttest.ToolHarness{
			Prefix: "shop_", Limit: resultLimit,
			New: func(t *testing.T, tools []porttest.TestTool) ports.ToolPort {
				_, port := ready(t, remote(t, serving(tools), nil))
				return port
			},
			Break: func(t *testing.T, tools []porttest.TestTool) ports.ToolPort {
				cfg := remote(t, serving(tools), func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						sent, _ := io.ReadAll(r.Body)
						if bytes.Contains(sent, []byte(`"tools/call"`)) {
							panic(http.ErrAbortHandler)
						}
						r.Body = io.NopCloser(bytes.NewReader(sent))
						next.ServeHTTP(w, r)
					})
				})
				_, port := ready(t, cfg)
				return port
			},
		})
	})
}

// hangingUp makes the tool that never ends break the connection.
func hangingUp(tools []porttest.TestTool, hangUp func()) []porttest.TestTool {
	for i := range tools {
		if tools[i].Name == "hang" {
			tools[i].Run = func(context.Context, map[string]any) (string, bool) {
				hangUp()
				return "", true
			}
		}
	}
	return tools
}
