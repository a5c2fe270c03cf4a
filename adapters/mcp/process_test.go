//go:build unix

package mcp_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/mcp"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func hello() []porttest.TestTool {
	return []porttest.TestTool{{Name: "hello", Schema: map[string]any{"type": "object"}}}
}

// script is a program of the shell that does something and then becomes the test's.
func script(t *testing.T, h *hub, before string) mcp.Server {
	t.Helper()
	cfg := h.program()
	cfg.Command = []string{"/bin/sh", "-c", before + "\nexec " + os.Args[0]}
	return cfg
}

func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for range 6000 {
		if cond() {
			return
		}
		time.Sleep(10 * time.Millisecond) // another process is looked at
	}
	t.Fatal("waited in vain: " + what)
}

func read(path string) string {
	data, _ := os.ReadFile(path)
	return strings.TrimSpace(string(data))
}

func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	require.NoError(t, err)
	state, _, _ := strings.Cut(afterName(read("/proc/"+pid+"/stat")), " ")
	return syscall.Kill(n, 0) == nil && state != "Z"
}

// afterName is what follows the program's name in /proc/PID/stat.
func afterName(stat string) string {
	_, rest, _ := strings.Cut(stat, ") ")
	return rest
}

// TestProgramGetsTheEnvironmentThatIsWrittenForIt, and nothing of ours.
func TestProgramGetsTheEnvironmentThatIsWrittenForIt(t *testing.T) {
	t.Setenv("WHATSAPP_ACCESS_TOKEN", "a-secret-of-the-bot")
	seen := filepath.Join(t.TempDir(), "env")
	h := newHub(t, serving(hello()))
	cfg := script(t, h, "/usr/bin/env > "+seen)
	cfg.Env["SHOP_KEY"] = always("its own")
	cfg.Dir = t.TempDir()
	r := run(t, cfg)
	r.states.until(t, 1, up)
	env := read(seen)
	assert.Contains(t, env, "SHOP_KEY=its own")
	assert.NotContains(t, env, "a-secret-of-the-bot")
	assert.NotContains(t, env, "HOME=")
	assert.Contains(t, env, "PWD="+cfg.Dir)
}

// TestProgramWithoutAnEnvironmentGetsNone: leaving it out hands on nothing.
func TestProgramWithoutAnEnvironmentGetsNone(t *testing.T) {
	t.Setenv("WHATSAPP_ACCESS_TOKEN", "a-secret-of-the-bot")
	seen := filepath.Join(t.TempDir(), "env")
	r := run(t, mcp.Server{Name: "shop", Command: []string{"/bin/sh", "-c", "/usr/bin/env > " + seen}})
	r.states.until(t, 1, down)
	assert.Contains(t, read(seen), "PWD=", "the shell's own")
	assert.NotContains(t, read(seen), "a-secret-of-the-bot")
}

// TestProgramThatDiesIsStartedAgain, and its tools are not offered meanwhile.
func TestProgramThatDiesIsStartedAgain(t *testing.T) {
	h := newHub(t, serving(hello()))
	r := run(t, h.program())
	port := everything(r)
	require.ErrorIs(t, r.Health("shop"), mcp.ErrStarting)
	r.states.until(t, 1, up)
	require.NoError(t, r.Health("shop"))
	require.Len(t, port.List(), 1)
	for round := range 2 {
		h.hangUp()
		gone := r.states.until(t, 1+round, down)
		assert.Contains(t, gone.Err.Error(), "its program ended: exit status 4")
		r.states.until(t, 2+round, up)
		require.Len(t, port.List(), 1)
		require.Equal(t, 2+round, h.dialled())
	}
	require.NoError(t, r.Health("shop"))
}

// TestEndEndsEverything: the program, what it started, and what ignores the signals.
func TestEndEndsEverything(t *testing.T) {
	dir := t.TempDir()
	h := newHub(t, serving(hello()))
	r := run(t, script(t, h, `/bin/sleep 1000 >/dev/null & echo $! > `+dir+`/child
/bin/sh -c 'trap "" TERM; while :; do /bin/sleep 1; done' >/dev/null & echo $! > `+dir+`/deaf
echo $$ > `+dir+`/self`))
	r.states.until(t, 1, up)
	for _, name := range []string{"child", "deaf", "self"} {
		require.True(t, alive(t, read(dir+"/"+name)), name)
	}
	r.stop()
	for _, name := range []string{"child", "deaf", "self"} {
		waitFor(t, name+" ends", func() bool { return !alive(t, read(dir+"/"+name)) })
	}
}

// TestProgramThatDoesNotListenIsEnded although it ignores the end of its input and the
// signal.
func TestProgramThatDoesNotListenIsEnded(t *testing.T) {
	dir := t.TempDir()
	cfg := mcp.Server{Name: "shop", Command: []string{"/bin/sh", "-c", `trap "" TERM; echo $$ > ` + dir + `/self; while :; do /bin/sleep 1; done`}}
	r := run(t, cfg)
	waitFor(t, "it runs", func() bool { return read(dir+"/self") != "" })
	r.stop()
	require.False(t, alive(t, read(dir+"/self")))
	require.Empty(t, everything(r).List())
}

// TestProgramsThatCannotBe are told with a reason that holds no value of the settings.
func TestProgramsThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		command []string
		says    string
	}{
		"does not exist": {[]string{"/nonexistent/program", "a-secret"}, "its program cannot be started: it does not exist"},
		"may not be run": {[]string{"/etc/passwd"}, "its program cannot be started: it may not be run"},
		"ends at once":   {[]string{"/bin/sh", "-c", "exit 7"}, "the handshake failed: its program ended: exit status 7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, mcp.Server{Name: "shop", Command: tt.command})
			st := r.states.until(t, 1, down)
			assert.EqualError(t, st.Err, tt.says)
		})
	}
}

// TestPathOfTheProgramIsOurs: a program without a slash is found as in a shell.
func TestPathOfTheProgramIsOurs(t *testing.T) {
	h := newHub(t, serving(hello()))
	dir := t.TempDir()
	require.NoError(t, os.Symlink(os.Args[0], dir+"/shop-tools"))
	t.Setenv("PATH", dir)
	_, err := exec.LookPath("shop-tools")
	require.NoError(t, err)
	cfg := h.program()
	cfg.Command = []string{"shop-tools"}
	r := run(t, cfg)
	r.states.until(t, 1, up)
}

// TestListsAllowWhatTheyName: one tool, all of a server, nothing; the others are neither
// offered nor called.
func TestListsAllowWhatTheyName(t *testing.T) {
	var tools []porttest.TestTool
	for _, name := range []string{"price", "refund", "open.hours/today"} {
		tools = append(tools, porttest.TestTool{Name: name, Schema: map[string]any{"type": "object"}, Run: func(context.Context, map[string]any) (string, bool) { return name, false }})
	}
	h := newHub(t, serving(tools))
	r := run(t, h.program())
	one, all, none := r.Only([]string{"shop_price", "shop_ghost"}), r.Only([]string{"shop_*"}), r.Only(nil)
	st := r.states.until(t, 1, up)
	assert.Equal(t, 3, st.Tools)
	assert.Equal(t, []string{"shop_ghost"}, st.Missing)
	names := func(p ports.ToolPort) (out []string) {
		for _, tool := range p.List() {
			out = append(out, tool.Name)
			assert.JSONEq(t, `{"type":"object"}`, string(tool.Parameters))
		}
		return out
	}
	assert.Equal(t, []string{"shop_price"}, names(one))
	assert.Equal(t, []string{"shop_open_hours_today", "shop_price", "shop_refund"}, names(all))
	assert.Empty(t, names(none))
	for _, p := range []ports.ToolPort{one, none} {
		_, err := p.Call(t.Context(), ports.ToolCall{ID: "1", Name: "shop_refund", Arguments: json.RawMessage(`{}`)})
		assert.Equal(t, ports.KindNotFound, ports.KindOf(err))
	}
	got, err := all.Call(t.Context(), ports.ToolCall{ID: "1", Name: "shop_open_hours_today", Arguments: json.RawMessage(`{}`)})
	require.NoError(t, err)
	assert.Equal(t, "open.hours/today", got.Text)
	assert.Equal(t, []string{"shop_", "shop", "nobody_x", "shop_a b"}, r.Stray([]string{"shop_price", "shop_*", "shop_", "shop", "nobody_x", "shop_a b"}))
}
