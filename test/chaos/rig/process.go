package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// The credentials both sides of a chaos run use.
const (
	NumberID    = "106500000000001"
	AccessToken = "chaos-access-token"
	AppSecret   = "chaos-app-secret"
	VerifyToken = "chaos-verify-token"
)

// Process is the real binary as a child process that can be killed, frozen and
// started again on the same address with the same settings. Its methods may be
// called concurrently.
type Process struct {
	Addr string // of the public listener; the same over all starts

	binary, role, log string
	env               []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process of cmd has ended, for whatever reason
	starts int
}

// NewProcess prepares a process; role is a sub-command of the binary, or empty. Env
// is added to the settings every process of a run shares.
func NewProcess(binary, role, dir, name, graph string, env ...string) (*Process, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("the binary is missing, run `make build`: %w", err)
	}
	// The port must stay the same over all restarts: Meta knows one address.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	free.Close()
	return &Process{
		Addr: addr, binary: binary, role: role, log: filepath.Join(dir, name+".log"),
		env: append([]string{
			"LISTEN_ADDR=" + addr, "ADMIN_ADDR=off",
			"WHATSAPP_ACCESS_TOKEN=" + AccessToken, "WHATSAPP_APP_SECRET=" + AppSecret,
			"WHATSAPP_VERIFY_TOKEN=" + VerifyToken, "WHATSAPP_PHONE_NUMBER_ID=" + NumberID,
			"GRAPH_BASE_URL=http://" + graph, "MEDIA_HOSTS=127.0.0.1",
			"LLM_PROVIDER=fake", "STT_PROVIDER=fake", "TTS_PROVIDER=fake", "RATE_LIMIT_MESSAGES=0", "LOOP_TURNS=0", "FAKE_KNOBS=ttft=20ms,rate=400",
			"LOG_LEVEL=info", "HISTORY_MESSAGES=4",
		}, env...),
	}, nil
}

// Start runs the binary and returns when it answers.
func (p *Process) Start(ctx context.Context) error {
	if err := p.exec(); err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for range 1000 {
		resp, err := client.Get("http://" + p.Addr + "/live")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	p.Kill()
	tail, _ := os.ReadFile(p.log)
	return fmt.Errorf("the bot did not come up:\n%s", tail[max(0, len(tail)-2000):])
}

func (p *Process) exec() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd = exec.Command(p.binary)
	if p.role != "" {
		p.cmd = exec.Command(p.binary, p.role)
	}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, out, out
	p.starts++
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return err
	}
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
	return nil
}

// Kill ends the process without a warning.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop ends the process as an operator does, and waits for it.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(sig syscall.Signal) {
	p.signal(sig)
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// Freeze stops the process without ending it, as a platform that withdraws the CPU
// does; Thaw lets it go on.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		_ = p.cmd.Process.Signal(sig)
	}
}

// Running reports whether the process was started and has not ended since.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

func (p *Process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Starts tells how often the process was started.
func (p *Process) Starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// Count tells how often an event stands in the log.
func (p *Process) Count(event string) int {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return -1
	}
	return bytes.Count(log, []byte(`"`+event+`"`))
}

// Sleep waits, or returns the context's error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Pid is the process id, or 0 when it does not run.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}

// Env is the environment of the process, for other commands of the binary.
func (p *Process) Env() []string { return slices.Clone(p.env) }
