package httpstatus

import (
	"context"
	"net/http/httptrace"
	"sync"
)

// Trace tells whether a request may have reached the server. Make one per call
// with Watch; it may be read while the call is under way.
type Trace struct {
	mu      sync.Mutex
	headers bool  // the request line and headers were handed to a connection
	written bool  // the transport is done with writing ...
	err     error // ... and this is what came of it
}

// Watch returns a context to make the request with, and the trace that fills.
func Watch(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// The transport looks for a connection anew when it tries again, which it
		// does with a POST only when no byte of it was written.
		GetConn:      func(string) { t.set(func() { t.headers, t.written, t.err = false, false, nil }) },
		WroteHeaders: func() { t.set(func() { t.headers = true }) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			t.set(func() { t.written, t.err = true, info.Err })
		},
	}), t
}

func (t *Trace) set(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
}

// MayHaveLeft reports whether the server may hold the whole request. It is false
// while no connection was had or the headers were not written, and when writing
// failed: a server cannot act on a request whose body is cut short of its
// Content-Length. In every other case the answer is true, even where the bytes may
// still have been in a buffer of ours: a doubled message is worse than an apology.
func (t *Trace) MayHaveLeft() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written {
		return t.err == nil
	}
	return t.headers
}
