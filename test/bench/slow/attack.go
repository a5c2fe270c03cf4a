package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// attack holds connections until ctx ends and says how many there were.
type attack struct {
	name string
	do   func(ctx context.Context, addr string) (held string, err error)
}

func attacks(p plan) []attack {
	return []attack{
		{"quiet", func(ctx context.Context, _ string) (string, error) { <-ctx.Done(); return "0", nil }},
		{fmt.Sprintf("%d slow headers", p.slow), slowly(p, "/live", "GET", "-H", "-i", "3", "-x", "24")},
		{fmt.Sprintf("%d slow bodies", p.slow), slowly(p, "/webhook", "POST", "-B", "-i", "3", "-s", "8192", "-x", "10")},
		{fmt.Sprintf("%d slow readers", p.slow), slowly(p, "/live", "GET", "-X", "-w", "16", "-y", "32", "-n", "3", "-z", "8", "-k", "3")},
		{fmt.Sprintf("%d idle after a request", p.idle), held(p.idle, true)},
		{fmt.Sprintf("%d that never send", p.idle), held(p.idle, false)},
	}
}

// What slowhttptest prints, without its colours.
var (
	colours     = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	connected   = regexp.MustCompile(`connected:\s+(\d+)`)
	unavailable = regexp.MustCompile(`service available:\s+NO`)
	ended       = regexp.MustCompile(`Exit status:\s*(.+)`)
)

// slowly runs slowhttptest again and again; it ends when the bot has closed all its
// connections. It asks on one more whether the service is available.
func slowly(p plan, path, method string, how ...string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, addr string) (string, error) {
		most, runs, outcome := 0, 0, "cut off"
		for ctx.Err() == nil {
			args := append([]string{
				"-c", strconv.Itoa(p.slow), "-r", "250", "-p", "3", "-t", method, "-u", "http://" + addr + path, "-l", strconv.Itoa(int(p.phase.Seconds())),
			}, how...)
			out, err := exec.CommandContext(ctx, "slowhttptest", args...).CombinedOutput()
			if err != nil && ctx.Err() == nil {
				return "", fmt.Errorf("slowhttptest: %w", err)
			}
			out = colours.ReplaceAll(out, nil)
			if unavailable.Match(out) {
				return "", errors.New("slowhttptest found the service unavailable")
			}
			for _, m := range connected.FindAllSubmatch(out, -1) {
				n, _ := strconv.Atoi(string(m[1]))
				most = max(most, n)
			}
			if m := ended.FindSubmatch(out); m != nil {
				outcome = strings.ToLower(strings.TrimSpace(string(m[1])))
			}
			runs++
		}
		return fmt.Sprintf("%d at once, %d waves: %s", most, runs, outcome), nil
	}
}

// held opens connections, sends one request on each or nothing, and leaves them alone.
func held(n int, asking bool) func(context.Context, string) (string, error) {
	return func(ctx context.Context, addr string) (string, error) {
		conns := make([]net.Conn, n)
		var next, open atomic.Int64
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for ctx.Err() == nil {
					i := int(next.Add(1)) - 1
					if i >= n {
						return
					}
					conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
					if err != nil {
						continue
					}
					conns[i] = conn
					if !asking || asked(conn, addr) {
						open.Add(1)
					}
				}
			})
		}
		wg.Wait()
		opened := open.Load()
		<-ctx.Done()
		still := 0
		for _, c := range conns {
			if c == nil {
				continue
			}
			// A connection that the bot closed reads its end at once.
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				still++
			}
			_ = c.Close()
		}
		return fmt.Sprintf("%d, and %d at the end", opened, still), nil
	}
}

func asked(conn net.Conn, addr string) bool {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: %s\r\n\r\n", addr); err != nil {
		return false
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 4096)), nil)
	if err != nil {
		return false
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body)
	return resp.StatusCode == http.StatusOK
}
