package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConnectionsAreBounded: who comes when all places are taken waits until somebody
// leaves, and is served then.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 16
	b := start(t, settings{"MAX_CONNECTIONS": "16"})
	b.client.CloseIdleConnections() // those of the test's own
	open := func() net.Conn {
		conn, err := net.Dial("tcp", b.addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: %s\r\n\r\n", b.addr)
		require.NoError(t, err)
		return conn
	}
	answered := func(conn net.Conn, within time.Duration) error {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(within)))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			require.Equal(t, 200, resp.StatusCode)
			_ = resp.Body.Close()
		}
		return err
	}
	var held []net.Conn
	for range most {
		conn := open()
		require.NoError(t, answered(conn, patience))
		held = append(held, conn)
	}
	late := open()
	var waited net.Error
	require.ErrorAs(t, answered(late, 300*time.Millisecond), &waited)
	require.True(t, waited.Timeout(), "all places are taken")
	require.NoError(t, held[0].Close())
	err := answered(late, patience)
	require.False(t, errors.As(err, &waited), "a place is free")
	require.NoError(t, err)
}
