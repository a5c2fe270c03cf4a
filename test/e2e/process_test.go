package e2e_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must come. It is far above what
// anything takes; nothing is measured by it.
const patience = 90 * time.Second

// settings are environment variables by name.
type settings map[string]string

// with returns a copy with other values; an empty value unsets the variable.
func (s settings) with(more ...settings) settings {
	out := maps.Clone(s)
	for _, m := range more {
		maps.Copy(out, m)
	}
	return out
}

func (s settings) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	for k, v := range s {
		if v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// process is one run of the binary.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended and all it printed was read
}

// launch starts the binary in a folder of its own, so that no .env is found.
func launch(t *testing.T, env settings, out, errOut *journal, args ...string) *process {
	t.Helper()
	return launchAs(t, program, env, out, errOut, args...)
}

// launchAs is launch of another binary.
func launchAs(t *testing.T, binary string, env settings, out, errOut *journal, args ...string) *process {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), env.environ(), out.run(), errOut.run()
	cmd.SysProcAttr = noOrphan()
	cmd.WaitDelay = 5 * time.Second // for a grandchild that keeps the pipes open
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // the state tells more than the error
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process without a warning. It does nothing to one that has ended.
func (p *process) kill() {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// terminate asks the process to end, as an operator or a platform does.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
}

// wait returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("the process does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// output is what a short run of the binary gave.
type output struct {
	code           int
	stdout, stderr string
}

// invoke runs the binary to its end.
func invoke(t *testing.T, env settings, args ...string) output {
	t.Helper()
	out, errOut := newJournal(), newJournal()
	code := launch(t, env, out, errOut, args...).wait(t)
	return output{code, out.text(), errOut.text()}
}

// eventually asks again and again, for what nobody can announce.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatal("waited in vain for: " + what)
		case <-tick.C:
		}
	}
}
