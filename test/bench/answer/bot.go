package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The credentials both sides of the benchmark use.
const (
	numberID    = "106500000000001"
	accessToken = "bench-access-token"
	appSecret   = "bench-app-secret"
	verifyToken = "bench-verify-token"
)

// bot is the real binary on a store of its own.
type bot struct {
	addr string
	log  string
	cmd  *exec.Cmd
}

// startBot starts the binary with the vendors of w. The limits on sending are those
// of a number with Meta's upgrade, and no limit for one person, who here asks again
// within seconds and for ever.
func (p plan) startBot(ctx context.Context, w *world, extra map[string]string) (*bot, error) {
	dir, err := os.MkdirTemp(p.dir, "bot-")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	base := w.server.Base()
	env := map[string]string{
		"GOMAXPROCS": "1", "PATH": os.Getenv("PATH"), "LISTEN_ADDR": addr, "ADMIN_ADDR": p.admin,
		"STORE": "embedded", "STORE_PATH": filepath.Join(dir, "bot.db"),
		"WHATSAPP_ACCESS_TOKEN": accessToken, "WHATSAPP_APP_SECRET": appSecret,
		"WHATSAPP_VERIFY_TOKEN": verifyToken, "WHATSAPP_PHONE_NUMBER_ID": numberID,
		"GRAPH_BASE_URL": base, "MEDIA_HOSTS": "127.0.0.1",
		"LLM_PROVIDER": "openai", "STT_PROVIDER": "openai", "TTS_PROVIDER": "openai",
		"OPENAI_BASE_URL": base + "/v1", "OPENAI_API_KEY": "bench-key",
		"REPLY_MODE": "voice", "WORKERS": "20000", "RATE_LIMIT_MESSAGES": "0", "LOOP_TURNS": "0", "LOG_LEVEL": p.logLevel,
		"NUMBER_RATE": "1000", "RECIPIENT_BURST": "100000", "RECIPIENT_EVERY": "1ms",
	}
	if authority := w.server.Authority(); authority != nil {
		env["SSL_CERT_FILE"] = filepath.Join(dir, "authority.pem")
		if err := os.WriteFile(env["SSL_CERT_FILE"], authority, 0o600); err != nil {
			return nil, err
		}
	}
	maps.Copy(env, p.env)
	maps.Copy(env, extra)
	b := &bot{addr: addr, log: filepath.Join(dir, "bot.log")}
	return b, b.launch(ctx, p, env)
}

func (b *bot) launch(ctx context.Context, p plan, env map[string]string) error {
	log, err := os.Create(b.log)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own copy
	command := []string{p.binary}
	if p.place.core != "" {
		command = []string{"taskset", "-c", p.place.core, p.binary}
	}
	b.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		b.cmd.Env = append(b.cmd.Env, name+"="+env[name])
	}
	b.cmd.Stdout, b.cmd.Stderr, b.cmd.SysProcAttr = log, log, dieWithParent()
	if err := b.cmd.Start(); err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for range 1000 {
		resp, err := client.Get("http://" + b.addr + "/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if sleep(ctx, 10*time.Millisecond) != nil {
			break
		}
	}
	b.kill()
	return fmt.Errorf("the bot did not come up: %s", b.lastWords())
}

// stop lets the bot end by itself.
func (b *bot) stop() {
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	_ = b.cmd.Wait()
}

// kill ends it at once: nobody waits for the turns it has in hand.
func (b *bot) kill() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// lastWords are the beginnings of the last lines of the bot's log.
func (b *bot) lastWords() string {
	data, err := os.ReadFile(b.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	lines = lines[max(0, len(lines)-3):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 400)]
	}
	return string(bytes.Join(lines, []byte("\n")))
}

// cpu is the processor time used so far.
func (b *bot) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name in brackets may hold anything; the fields behind it are fixed (proc(5)).
	_, rest, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	return time.Duration(user+system) * kernelTick, errors.Join(err1, err2)
}

// memory is a line of /proc/PID/status in bytes, such as VmRSS.
func (b *bot) memory(name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(data), name+":")
	line, _, _ := strings.Cut(rest, "\n")
	kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	if !found || err != nil {
		return 0, errors.Join(fmt.Errorf("no %s in /proc/PID/status", name), err)
	}
	return kb << 10, nil
}

// descriptors is how many files and sockets the bot has open.
func (b *bot) descriptors() int {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(list)
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
