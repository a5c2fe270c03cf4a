package vendorhttp

import (
	"net"
	"sync"
)

// chunkSize is what a chunk holds, in bytes: a record of TLS, or the requests of a crowd.
const chunkSize = 16 << 10

// chunks are lent to all connections, since each needs them for a moment: a voice note
// takes six, and a connection at rest has none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// pile is what waits to be written, in chunks that are lent to it.
type pile struct {
	chunks [][]byte
	vector [][]byte // of the system call
	size   int      // bytes
}

// add copies p to the end.
func (w *pile) add(p []byte) {
	w.size += len(p)
	for len(p) > 0 {
		last := len(w.chunks) - 1
		if last < 0 || len(w.chunks[last]) == chunkSize {
			w.chunks = append(w.chunks, chunks.Get().(*[chunkSize]byte)[:0])
			last++
		}
		into := w.chunks[last]
		n := copy(into[len(into):chunkSize], p)
		w.chunks[last], p = into[:len(into)+n], p[n:]
	}
}

// leave writes everything in one call and empties the pile, also where it fails.
func (w *pile) leave(conn net.Conn) error {
	var err error
	switch len(w.chunks) {
	case 0:
	case 1:
		_, err = conn.Write(w.chunks[0])
	default:
		w.vector = append(w.vector[:0], w.chunks...)
		rest := net.Buffers(w.vector) // the call takes it apart
		_, err = rest.WriteTo(conn)
		clear(w.vector)
	}
	for i, c := range w.chunks {
		chunks.Put((*[chunkSize]byte)(c[:chunkSize]))
		w.chunks[i] = nil
	}
	w.chunks, w.size = w.chunks[:0], 0
	return err
}
