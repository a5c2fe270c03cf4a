package simulator

// ring keeps the newest max entries of a growing sequence. Entries are numbered from 1. The caller locks.
type ring[T any] struct {
	buf   []T
	start int // index of the oldest
	max   int
	last  uint64 // number of the newest, 0 when nothing was ever added
}

func newRing[T any](max int) *ring[T] { return &ring[T]{max: max} }

func (r *ring[T]) add(v T) uint64 {
	r.last++
	if len(r.buf) < r.max {
		r.buf = append(r.buf, v)
	} else {
		r.buf[r.start] = v
		r.start = (r.start + 1) % r.max
	}
	return r.last
}

// oldest is the number of the oldest entry still held; last+1 when empty.
func (r *ring[T]) oldest() uint64 { return r.last - uint64(len(r.buf)) + 1 }

// after returns up to limit entries with numbers above n, oldest first; limit 0 means all.
func (r *ring[T]) after(n uint64, limit int) []T {
	if n >= r.last {
		return nil
	}
	from := max(n+1, r.oldest())
	count := int(r.last - from + 1)
	if limit > 0 {
		count = min(count, limit)
	}
	out := make([]T, 0, count)
	at := r.start + int(from-r.oldest())
	for i := range count {
		out = append(out, r.buf[(at+i)%len(r.buf)])
	}
	return out
}
