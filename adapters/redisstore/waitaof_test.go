package redisstore_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

// newerRedis stands before a server without WAITAOF, calls it 7.2 and answers that one
// command itself: with as many local confirmations as it is told. Everything else is
// the real server's.
type newerRedis struct {
	addr   string
	behind string
	onDisk atomic.Int64
	waits  atomic.Int64
}

func startNewerRedis(t *testing.T, behind *redisserver.Server) *newerRedis {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &newerRedis{addr: l.Addr().String(), behind: behind.Addr()}
	p.onDisk.Store(1)
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn) // ends with the client's connection
		}
	}()
	return p
}

func (p *newerRedis) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.behind)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	fromClient, fromServer := bufio.NewReader(client), bufio.NewReader(server)
	for {
		command, err := readFrame(fromClient)
		if err != nil {
			return
		}
		answer := []byte("*2\r\n:" + strconv.FormatInt(p.onDisk.Load(), 10) + "\r\n:0\r\n")
		if bytes.Contains(command, []byte("\r\nWAITAOF\r\n")) {
			p.waits.Add(1)
		} else {
			if _, err := server.Write(command); err != nil {
				return
			}
			if answer, err = readFrame(fromServer); err != nil {
				return
			}
			answer = bytes.Replace(answer, []byte("redis_version:7.0."), []byte("redis_version:7.2."), 1)
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// readFrame reads one value of RESP2 with all its elements.
func readFrame(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:]))) // only read where it is a number
	switch line[0] {
	case '$':
		if n >= 0 {
			rest := make([]byte, n+2)
			if _, err := io.ReadFull(r, rest); err != nil {
				return nil, err
			}
			line = append(line, rest...)
		}
	case '*':
		for range max(n, 0) {
			each, err := readFrame(r)
			if err != nil {
				return nil, err
			}
			line = append(line, each...)
		}
	}
	return line, nil
}

func TestFsyncByWAITAOF(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "everysec"})
	newer := startNewerRedis(t, server)
	s := open(t, redisstore.Options{URL: "redis://" + newer.addr + "?protocol=2", Ack: redisstore.AckFsync, AckTimeout: 50 * time.Millisecond})
	assert.Equal(t, "WAITAOF", s.Durability().Confirmed)
	assert.Empty(t, s.Durability().Warnings, "everysec is good enough when each write is confirmed")
	before := newer.waits.Load()
	require.True(t, admit(t, s, text(1, "1"))[0].New)
	assert.Greater(t, newer.waits.Load(), before)

	newer.onDisk.Store(0)
	for _, m := range []domain.Message{text(1, "2"), text(1, "2"), text(1, "1")} {
		_, err := s.Admit(t.Context(), []domain.Message{m})
		require.Error(t, err, "not on disk, new or known")
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	}
	newer.onDisk.Store(1)
	assert.False(t, admit(t, s, text(1, "2"))[0].New, "it was stored; now it is confirmed")
}
