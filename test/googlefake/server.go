package googlefake

import (
	"fmt"
	"net"
	"sync"

	speech1 "cloud.google.com/go/speech/apiv1/speechpb"
	speech2 "cloud.google.com/go/speech/apiv2/speechpb"
	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
	"google.golang.org/grpc"
)

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(fn func())
}

// maxMessage is above what Google takes, so that it is the fake that refuses.
const maxMessage = 64 << 20

// Server is the fake. Its methods may be called concurrently.
type Server struct {
	grpc     *grpc.Server
	listener *listener
	served   sync.WaitGroup

	mu     sync.Mutex
	heard  []Result // what Hears said, and whether it did
	fixed  bool
	speech faults
	voice  faults
	notes  []*Hearing
	said   []Speaking
}

// Start starts a server and stops it when the test ends.
func Start(t TB) *Server {
	t.Helper()
	s, err := Launch()
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Stop)
	return s
}

// Launch starts a server on a free port of the loopback interface. The caller stops
// it.
func Launch() (*Server, error) { return LaunchOn("127.0.0.1:0") }

// LaunchOn starts a server on an address, such as one where another was stopped.
func LaunchOn(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("googlefake: %w", err)
	}
	return Serve(l), nil
}

// Serve starts a server on a listener of the caller's, which Stop closes.
func Serve(l net.Listener) *Server {
	s := &Server{grpc: grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.WaitForHandlers(true)), listener: &listener{Listener: l}}
	speech1.RegisterSpeechServer(s.grpc, &ear1{s: s})
	speech2.RegisterSpeechServer(s.grpc, &ear2{s: s})
	texttospeechpb.RegisterTextToSpeechServer(s.grpc, &mouth{s: s})
	s.served.Go(func() { _ = s.grpc.Serve(s.listener) }) // it ends with Stop, which is no error
	return s
}

// Addr is host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Endpoint is the address for GOOGLE_SPEECH_ENDPOINT and GOOGLE_TTS_ENDPOINT.
func (s *Server) Endpoint() string { return "http://" + s.Addr() }

// Stop cuts all connections and ends the server. Doing it twice is harmless.
func (s *Server) Stop() {
	s.grpc.Stop()
	s.served.Wait()
}

// Drop cuts all connections; clients may connect again.
func (s *Server) Drop() { s.listener.drop() }

// listener remembers its connections so that they can be cut.
type listener struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.open = append(l.open, c)
		l.mu.Unlock()
	}
	return c, err
}

func (l *listener) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		_ = c.Close() // it may be closed already
	}
	l.open = nil
}
