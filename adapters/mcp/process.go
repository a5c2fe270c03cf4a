package mcp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// grace is how long a program may take to end after its input was closed, and again
// after it was asked to.
const grace = 2 * time.Second

// writeTimeout ends the writing to a program that does not read.
const writeTimeout = 10 * time.Second

// process is a server's program, with whatever it started itself: both end together.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	done   chan struct{} // closed when the program has ended
	once   sync.Once
}

// start runs the program. What it writes to its standard error is dropped: it may quote
// what people said.
func start(cfg Server) (*process, error) {
	cmd := exec.Command(cfg.Command[0], cfg.Command[1:]...) // #nosec G204 -- the operator names the program
	cmd.Dir = cfg.Dir
	cmd.Env = []string{} // nil would hand on ours, with all secrets
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		cmd.Env = append(cmd.Env, name+"="+cfg.Env[name]())
	}
	ownGroup(cmd)
	in, toIn, err := os.Pipe()
	if err != nil {
		return nil, errors.New("there is no pipe for its program")
	}
	fromOut, out, err := os.Pipe()
	if err != nil {
		_, _ = in.Close(), toIn.Close()
		return nil, errors.New("there is no pipe for its program")
	}
	cmd.Stdin, cmd.Stdout = in, out
	err = cmd.Start()
	_, _ = in.Close(), out.Close() // the program has its own
	if err != nil {
		_, _ = toIn.Close(), fromOut.Close()
		return nil, fmt.Errorf("its program cannot be started: %s", startProblem(err))
	}
	p := &process{cmd: cmd, stdin: patient{toIn}, stdout: fromOut, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in ProcessState
	}()
	return p, nil
}

func startProblem(err error) string {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "it may not be run"
	}
	return "the system refuses"
}

// patient bounds each write.
type patient struct{ *os.File }

// Write implements io.Writer.
func (p patient) Write(data []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(writeTimeout)) // where pipes have none, closing ends it
	return p.File.Write(data)
}

// stop ends the program and what it started: first by the end of its input, as the
// protocol has it, then by a signal, then for good. It returns when the program has
// ended, and may be called again.
func (p *process) stop() { p.once.Do(p.end) }

func (p *process) end() {
	_ = p.stdin.Close()
	if !p.over(grace) {
		terminate(p.cmd)
		if !p.over(grace) {
			kill(p.cmd)
			<-p.done
		}
	}
	kill(p.cmd) // what the program left behind
	_ = p.stdout.Close()
}

func (p *process) over(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// ended says how the program ended, or nothing while it runs. An end that is under way
// is waited for for a moment.
func (p *process) ended() string {
	if !p.over(100 * time.Millisecond) {
		return ""
	}
	return "its program ended: " + p.cmd.ProcessState.String() // "exit status 1", "signal: killed"
}
