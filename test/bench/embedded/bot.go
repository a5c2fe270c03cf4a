package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	dir  string
	cmd  *exec.Cmd
	up   time.Duration // from exec to the first 200
}

func startBot(ctx context.Context, binary, graph string) (*bot, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bot{addr: free.Addr().String(), dir: dir}
	free.Close()
	binary, err = filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	b.cmd = exec.CommandContext(ctx, binary)
	b.cmd.Env = []string{
		"LISTEN_ADDR=" + b.addr, "ADMIN_ADDR=off", "STORE_PATH=" + filepath.Join(dir, "bot.db"),
		"WHATSAPP_ACCESS_TOKEN=" + accessToken, "WHATSAPP_APP_SECRET=" + appSecret,
		"WHATSAPP_VERIFY_TOKEN=" + verifyToken, "WHATSAPP_PHONE_NUMBER_ID=" + numberID,
		"GRAPH_BASE_URL=http://" + graph, "MEDIA_HOSTS=127.0.0.1",
		"LLM_PROVIDER=fake", "STT_PROVIDER=fake", "TTS_PROVIDER=fake", "RATE_LIMIT_MESSAGES=0", "LOOP_TURNS=0", "REPLY_MODE=text", "LOG_LEVEL=warn",
	}
	b.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < 10*time.Second {
		conn, err := net.DialTimeout("tcp", b.addr, 100*time.Millisecond)
		if err != nil {
			time.Sleep(500 * time.Microsecond)
			continue
		}
		conn.Close()
		resp, err := http.Get("http://" + b.addr + "/ready")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			b.up = time.Since(began)
			return b, nil
		}
	}
	b.stop()
	return nil, fmt.Errorf("the bot did not come up")
}

func (b *bot) stop() {
	if b.cmd.ProcessState == nil {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		_ = b.cmd.Wait()
	}
	_ = os.RemoveAll(b.dir)
}

// rss is the resident memory in bytes.
func (b *bot) rss() int {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB")))
			return kb << 10
		}
	}
	return 0
}
