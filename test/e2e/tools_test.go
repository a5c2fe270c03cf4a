package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scriptedModel speaks OpenAI's API. To a question it asks for the tool that the script
// has for it; to a result it answers with what it found in it.
type scriptedModel struct {
	*vendorServer
	script map[string][2]string // words of a question -> tool, arguments

	mu      sync.Mutex
	offered []string
	results []string
	models  []string // as they were asked for
}

func newScriptedModel(t *testing.T, script map[string][2]string) *scriptedModel {
	m := &scriptedModel{script: script}
	m.vendorServer = newVendorServer(t, func(_ *vendorServer, w http.ResponseWriter, r *http.Request, body []byte) {
		assert.Equal(t, "/v1/chat/completions", r.URL.Path)
		m.answer(t, w, body)
	})
	return m
}

func (m *scriptedModel) answer(t *testing.T, w http.ResponseWriter, body []byte) {
	var in struct {
		Model    string
		Messages []struct {
			Role, Content string
		}
		Tools []struct{ Function struct{ Name string } }
	}
	if !assert.NoError(t, json.Unmarshal(body, &in)) {
		return
	}
	last := in.Messages[len(in.Messages)-1]
	w.Header().Set("Content-Type", "text/event-stream")
	event := func(delta, finish string) {
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta, finish)
		w.(http.Flusher).Flush()
	}
	defer func() {
		_, _ = io.WriteString(w, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100}}\n\ndata: [DONE]\n\n")
	}()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.models = append(m.models, in.Model)
	m.offered = nil
	for _, tool := range in.Tools {
		m.offered = append(m.offered, tool.Function.Name)
	}
	if last.Role == "tool" {
		m.results = append(m.results, last.Content)
		found := "nothing"
		for _, word := range []string{"There is no such tool", "created", "nine euros"} { // the example says "created", the other repeats
			if strings.Contains(last.Content, word) {
				found = word
			}
		}
		event(`{"content":"I found: "}`, "null")
		event(`{"content":`+quoted(found)+`}`, "null")
		event(`{}`, `"stop"`)
		return
	}
	for words, call := range m.script {
		if strings.Contains(last.Content, words) {
			event(`{"content":"Let me see. "}`, "null")
			event(fmt.Sprintf(`{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":%q,"arguments":""}}]}`, call[0]), "null")
			event(fmt.Sprintf(`{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}`, quoted(call[1])), "null")
			event(`{}`, `"tool_calls"`)
			return
		}
	}
	event(`{"content":"Good day."}`, "null")
	event(`{}`, `"stop"`)
}

// memoryServer builds the server with a knowledge base from the examples of the
// protocol's Go library.
func memoryServer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "memory")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/modelcontextprotocol/go-sdk/examples/server/memory").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "servers.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestToolsOfMCPServers calls tools of real servers: an example of the Go library over
// pipes and over HTTP, and one from npm. What is remembered in one turn is found in the
// next, which only the server can know.
func TestToolsOfMCPServers(t *testing.T) {
	t.Parallel()
	example := memoryServer(t)
	for name, config := range map[string]func(t *testing.T) string{
		"Go over pipes": func(*testing.T) string { return fmt.Sprintf("command: [%q]", example) },
		"Go over HTTP": func(t *testing.T) string {
			addr := freeAddress(t)
			cmd := exec.Command(example, "-http", addr)
			cmd.SysProcAttr = noOrphan()
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			return "url: http://" + addr
		},
		"npm over pipes": func(t *testing.T) string {
			node, err := exec.LookPath("node")
			require.NoError(t, err, "install node and the locked server with: .ci/packages test")
			program, err := filepath.Abs("mcp/node_modules/@modelcontextprotocol/server-memory/dist/index.js")
			require.NoError(t, err)
			require.FileExists(t, program, "install it with: .ci/packages test")
			return fmt.Sprintf("command: [%q, %q]\n    env: {MEMORY_FILE_PATH: %q}", node, program, filepath.Join(t.TempDir(), "memory.jsonl"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := newScriptedModel(t, map[string][2]string{
				"remember":   {"kb_create_entities", `{"entities":[{"name":"umbrella","entityType":"article","observations":["it costs nine euros"]}]}`},
				"how much":   {"kb_search_nodes", `{"query":"umbrella"}`},
				"forget all": {"kb_delete_entities", `{"entityNames":["umbrella"]}`},
			})
			b := start(t, settings{
				"LLM_PROVIDER": "openai", "OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": model.http.URL + "/v1", "REPLY_MODE": "text",
				"TOOLS": "kb_create_entities, kb_search_nodes", "MCP_SERVERS_FILE": file(t, "servers:\n  - name: kb\n    "+config(t)+"\n"),
			})
			b.logs("tools.up", 1)
			ana := b.user(t)
			ana.writes("please remember the price")
			require.Contains(t, []string{"I found: created", "I found: nine euros"}, ana.gets().Text)
			ana.writes("how much is the umbrella")
			ana.reads("I found: nine euros")
			ana.writes("forget all of it")
			ana.reads("I found: There is no such tool")
			ana.writes("how much is it now")
			ana.reads("I found: nine euros")
			b.logs("turn.finished", 4)
			b.idle()
			require.Len(t, b.sim.Outbound(ana.id), 4, "one answer each")

			model.mu.Lock()
			defer model.mu.Unlock()
			slices.Sort(model.offered)
			require.Equal(t, []string{"kb_create_entities", "kb_search_nodes"}, model.offered, "the list allows no other")
			for _, r := range model.results[:2] {
				require.True(t, strings.HasPrefix(r, "<result>\n"), "a result is fenced: %s", r)
			}
			called := b.events("tool.ok")
			require.Len(t, called, 3)
			require.Equal(t, "kb_create_entities", called[0].str("tool"))
			refused := b.events("tool.fail")
			require.Len(t, refused, 1)
			require.Equal(t, "unknown_tool", refused[0].str("tool"), "what a model makes up is not logged")
			for _, secret := range []string{"nine euros", "umbrella"} {
				require.NotContains(t, b.stdout.text(), secret, "neither arguments nor results are logged")
			}
			code, _ := b.stop()
			require.Zero(t, code)
		})
	}
}

// TestToolSettingsThatAreWrong: the program says what is wrong and does not start.
func TestToolSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	servers := file(t, "servers:\n  - name: kb\n    command: [cat]\n")
	for name, tt := range map[string]struct {
		env  settings
		says []string
	}{
		"tools without servers": {settings{"TOOLS": "kb_*"}, []string{"TOOLS: names tools, but MCP_SERVERS_FILE names no servers"}},
		"servers without tools": {settings{"MCP_SERVERS_FILE": servers}, []string{"MCP_SERVERS_FILE: names servers, but no tool of theirs is allowed"}},
		"a model without tools": {
			settings{"MCP_SERVERS_FILE": servers, "TOOLS": "kb_*", "LLM_PROVIDER": "fake,offline"},
			[]string{"TOOLS: the model of LLM_PROVIDER (fake,offline) cannot call tools"},
		},
		"a server that is not there": {settings{"MCP_SERVERS_FILE": servers, "TOOLS": "shop_price"}, []string{`TOOLS: "shop_price" names no tool of a server`}},
		"a secret that is not there": {
			settings{"TOOLS": "kb_*", "MCP_SERVERS_FILE": file(t, "servers:\n  - name: kb\n    url: https://tools.example\n    headers_from: {Authorization: KB_TOKEN}\n  - name: KB\n    timeout: 5\n")},
			[]string{"MCP_SERVERS_FILE: line 2: headers_from cannot be used: KB_TOKEN is not set", "MCP_SERVERS_FILE: line 5: timeout must be a duration", "line 5: either command or url"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := prepare(t, tt.env)
			b.unplugged = true
			out, errOut := newJournal(), newJournal()
			p := launch(t, b.env, out, errOut)
			require.NotZero(t, p.wait(t))
			for _, line := range tt.says {
				require.Contains(t, errOut.text(), line)
			}
		})
	}
}
