package vendorhttp

import (
	"crypto/tls"
	"net/http"
	"sync/atomic"

	"whatsappnode/adapters/h2client"
)

// lane is one HTTP/2 connection to a server, or will be.
type lane struct {
	dialer *http.Transport // looks up names, goes by proxies, shakes hands
	conn   atomic.Pointer[h2client.Conn]
	load   atomic.Int64 // requests under way
}

func (o *origin) newLane() *lane {
	l := &lane{dialer: o.pool.Clone()}
	l.dialer.DialContext = dialCork
	l.dialer.MaxConnsPerHost = 1 // who comes while it is dialled waits for it
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if had := o.pool.TLSClientConfig; had != nil {
		cfg = had.Clone()
	}
	cfg.NextProtos = []string{"h2", "http/1.1"}
	l.dialer.TLSClientConfig = cfg
	l.dialer.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{"h2": l.dialled}
	return l
}

// dialled takes the connection over.
func (l *lane) dialled(_ string, conn *tls.Conn) http.RoundTripper {
	c := h2client.New(conn, h2client.Options{IdleTime: idleTime, PingAfter: pingAfter, PingTimeout: pingTimeout})
	l.conn.Store(c)
	return handedOver{c}
}

// handedOver is a lane's connection as net/http sees it.
type handedOver struct{ conn *h2client.Conn }

// RoundTrip implements http.RoundTripper.
func (h handedOver) RoundTrip(req *http.Request) (*http.Response, error) {
	if !h.conn.Usable() {
		return nil, dialAnew{h2client.ErrUnusable} // the body is as it was
	}
	return h.conn.RoundTrip(req)
}

// dialAnew has net/http drop a connection and dial another for the same request. The name
// of the method is what net/http looks for.
type dialAnew struct{ error }

func (dialAnew) IsHTTP2NoCachedConnError() {}

func (e dialAnew) Unwrap() error { return e.error }

// most is how many requests may share the lane.
func (l *lane) most() int64 {
	if conn := l.conn.Load(); conn != nil {
		return min(laneStreams, int64(conn.MaxStreams()))
	}
	return laneStreams
}

// roundTrip asks on the lane's connection, or on a new one. The place in the lane, which
// the caller took, is given back at the end of the answer.
func (l *lane) roundTrip(req *http.Request) (*http.Response, error) {
	if conn := l.conn.Load(); conn != nil && conn.Usable() {
		return conn.Do(req, l.leave)
	}
	resp, err := l.dialer.RoundTrip(req)
	if err != nil {
		l.leave()
		return nil, err
	}
	resp.Body = &tracked{ReadCloser: resp.Body, lane: l}
	return resp, nil
}

func (l *lane) leave() { l.load.Add(-1) }

func (l *lane) closeIdle() {
	l.dialer.CloseIdleConnections()
	if conn := l.conn.Load(); conn != nil {
		conn.CloseIdle()
	}
}
