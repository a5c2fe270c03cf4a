package redisserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// callTime bounds one command of CLI.
const callTime = 5 * time.Second

// CLI runs one command over a connection of its own and returns the answer as
// text: the elements of an array one a line, nil as the empty string. An answer
// that is an error is an error.
func (s *Server) CLI(args ...string) (string, error) {
	var conn net.Conn
	var err error
	dialer := &net.Dialer{Timeout: callTime}
	if s.cert != nil {
		conn, err = tls.DialWithDialer(dialer, "tcp", s.Addr(), s.cert.Client)
	} else {
		conn, err = dialer.Dial("tcp", s.Addr())
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }() // the answer is read
	if err := conn.SetDeadline(time.Now().Add(callTime)); err != nil {
		return "", err
	}
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(conn, request.String()); err != nil {
		return "", err
	}
	return readAnswer(bufio.NewReader(conn))
}

// Must is CLI for what cannot fail in a test.
func (s *Server) Must(t TB, args ...string) string {
	t.Helper()
	out, err := s.CLI(args...)
	if err != nil {
		t.Fatalf("redis %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func readAnswer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("empty answer")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '-':
		return "", errors.New(rest)
	case '+', ':':
		return rest, nil
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		data := make([]byte, n+2)
		if _, err := io.ReadFull(r, data); err != nil {
			return "", err
		}
		return string(data[:n]), nil
	case '*':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		var out []string
		for range max(n, 0) {
			each, err := readAnswer(r)
			if err != nil {
				return "", err
			}
			out = append(out, each)
		}
		return strings.Join(out, "\n"), nil
	default:
		return "", fmt.Errorf("unknown answer %q", line)
	}
}
