package vendorhttp_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/vendorhttp"
)

// counting notes how often it was written to, and holds the first write up.
type counting struct {
	net.Conn
	mu     sync.Mutex
	writes int
	hold   chan struct{}
}

func (c *counting) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.writes++
	first := c.writes == 1
	c.mu.Unlock()
	if first && c.hold != nil {
		<-c.hold
	}
	return c.Conn.Write(p)
}

func TestWritesThatGatherLeaveTogetherInOrder(t *testing.T) {
	near, far := net.Pipe()
	conn := &counting{Conn: near, hold: make(chan struct{})}
	b := vendorhttp.NewBatch(conn)
	var got bytes.Buffer
	read := make(chan error, 1)
	go func() { _, err := io.Copy(&got, far); read <- err }()
	var want bytes.Buffer
	for i := range 100 {
		piece := bytes.Repeat([]byte{byte(i)}, 100)
		want.Write(piece)
		n, err := b.Write(piece)
		require.NoError(t, err)
		require.Equal(t, 100, n)
	}
	close(conn.hold)
	require.NoError(t, b.Close(), "it writes what waits")
	require.NoError(t, <-read)
	require.Equal(t, want.Bytes(), got.Bytes())
	require.LessOrEqual(t, conn.writes, 3)
	_, err := b.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_ = b.Close()
}

func TestMuchThatWaitsHoldsTheWriterUp(t *testing.T) {
	near, far := net.Pipe()
	b := vendorhttp.NewBatch(near)
	large := make([]byte, 300<<10)
	for range 2 { // one is being written and one waits
		_, err := b.Write(large)
		require.NoError(t, err)
	}
	third := make(chan error, 1)
	go func() { _, err := b.Write(large); third <- err }()
	n, err := io.CopyN(io.Discard, far, 2*300<<10)
	require.NoError(t, err)
	require.EqualValues(t, 2*300<<10, n)
	require.NoError(t, <-third, "there is room again")
	require.NoError(t, far.Close())
	_ = b.Close()
}

func TestErrorOfTheNetworkIsToldLater(t *testing.T) {
	near, far := net.Pipe()
	require.NoError(t, far.Close())
	b := vendorhttp.NewBatch(near)
	require.Eventually(t, func() bool {
		_, err := b.Write([]byte("x"))
		return errors.Is(err, io.ErrClosedPipe)
	}, 10*time.Second, time.Millisecond)
	_ = b.Close()
}

func TestPeerThatTakesNothingHoldsCloseUpShortly(t *testing.T) {
	near, _ := net.Pipe()
	b := vendorhttp.NewBatch(near)
	_, err := b.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

// TestLargeWritesLeaveInOnePiece: what does not fit into one chunk leaves by a vectored
// write, of which net.Pipe knows nothing.
func TestLargeWritesLeaveInOnePiece(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	defer far.Close()
	b := vendorhttp.NewBatch(near)
	var want bytes.Buffer
	for i := range 60 {
		piece := bytes.Repeat([]byte{byte(i)}, 1+i*i*10) // 700 kB in all
		want.Write(piece)
		n, err := b.Write(piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
		if i%10 == 9 { // nobody reads more than is there
			got := make([]byte, want.Len())
			_, err = io.ReadFull(far, got)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want.Bytes(), got), "after %d", i)
			want.Reset()
		}
	}
	require.NoError(t, b.Close())
}
