package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// The credentials both sides of the test use.
const (
	numberID    = "106500000000001"
	accessToken = "killtest-access-token"
	appSecret   = "killtest-app-secret"
	verifyToken = "killtest-verify-token"
)

// bot is the real binary as a child process on one store file.
type bot struct {
	binary string
	env    []string
	addr   string
	log    string
	cmd    *exec.Cmd
	starts int
}

func newBot(p plan, dir, graph string) (*bot, error) {
	binary, err := filepath.Abs(p.binary)
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
	return &bot{
		binary: binary, addr: addr, log: filepath.Join(dir, "bot.log"),
		env: []string{
			"LISTEN_ADDR=" + addr, "ADMIN_ADDR=off", "STORE_PATH=" + filepath.Join(dir, "bot.db"),
			"WHATSAPP_ACCESS_TOKEN=" + accessToken, "WHATSAPP_APP_SECRET=" + appSecret,
			"WHATSAPP_VERIFY_TOKEN=" + verifyToken, "WHATSAPP_PHONE_NUMBER_ID=" + numberID,
			"GRAPH_BASE_URL=http://" + graph, "MEDIA_HOSTS=127.0.0.1",
			"LLM_PROVIDER=fake", "STT_PROVIDER=fake", "TTS_PROVIDER=fake", "FAKE_KNOBS=ttft=20ms,rate=400",
			"REPLY_MODE=" + p.replyMode, "SETTLE_WAIT=" + p.settle.String(), "LOG_LEVEL=info", "HISTORY_MESSAGES=4",
		},
	}, nil
}

// start runs the binary and returns when it answers.
func (b *bot) start(ctx context.Context) error {
	out, err := os.OpenFile(b.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	b.cmd = exec.Command(b.binary)
	b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = b.env, out, out
	if err := b.cmd.Start(); err != nil {
		return err
	}
	b.starts++
	client := &http.Client{Timeout: time.Second}
	for range 1000 {
		resp, err := client.Get("http://" + b.addr + "/live")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	b.kill()
	tail, _ := os.ReadFile(b.log)
	return fmt.Errorf("the bot did not come up:\n%s", tail[max(0, len(tail)-2000):])
}

// kill ends the process without a warning.
func (b *bot) kill() {
	if b.cmd != nil && b.cmd.ProcessState == nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	}
}

// stop ends the process as an operator does.
func (b *bot) stop() {
	if b.cmd != nil && b.cmd.ProcessState == nil {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		_ = b.cmd.Wait()
	}
}

// count tells how often an event stands in the log.
func (b *bot) count(event string) int {
	log, err := os.ReadFile(b.log)
	if err != nil {
		return -1
	}
	return bytes.Count(log, []byte(`"`+event+`"`))
}
