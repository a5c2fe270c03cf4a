package redisserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// TB is the part of testing.TB that Start... needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(fn func())
	TempDir() string
}

// Options configure a server. The zero value keeps everything in memory.
type Options struct {
	// AppendOnly writes the append-only file.
	AppendOnly bool
	// AppendFsync is "always" or "everysec", Redis' default when empty.
	AppendFsync string
	// TLS makes the server speak TLS only, with a certificate of its own CA.
	TLS bool
	// Args are further settings, "--maxmemory", "10mb" and so on.
	Args []string
}

const (
	// startTime bounds how long a server may take until it answers, loading its
	// append-only file included.
	startTime = 20 * time.Second
	// stopTime is how long SIGTERM has to work before SIGKILL.
	stopTime = 5 * time.Second
	// portTries is how often a port that was taken meanwhile is replaced.
	portTries = 5
)

// Server is one redis-server process. Its methods may be called concurrently.
type Server struct {
	dir  string
	opt  Options
	port int
	cert *Certificates

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start starts a server and stops it when the test ends.
func Start(t TB, opt Options) *Server {
	t.Helper()
	s, err := Launch(t.TempDir(), opt)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Stop)
	return s
}

// Launch starts a server that keeps its files in dir. The caller stops it.
func Launch(dir string, opt Options) (*Server, error) {
	var err error
	for range portTries {
		s := &Server{dir: dir, opt: opt, port: freePort()}
		if opt.TLS {
			if s.cert, err = NewCertificates(dir); err != nil {
				return nil, err
			}
		}
		if err = s.start(); err == nil {
			return s, nil
		}
		if !strings.Contains(err.Error(), "Address already in use") {
			break
		}
	}
	return nil, err
}

// Addr is host and port.
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// Port is the port alone.
func (s *Server) Port() int { return s.port }

// URL is the address as a URL, redis:// or rediss://.
func (s *Server) URL() string {
	if s.opt.TLS {
		return "rediss://" + s.Addr()
	}
	return "redis://" + s.Addr()
}

// Certificates are those of a TLS server, or nil.
func (s *Server) Certificates() *Certificates { return s.cert }

// Pid is the process id, or 0 when it does not run.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

func (s *Server) args() []string {
	args := []string{"--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no", "--protected-mode", "no", "--loglevel", "notice"}
	if s.cert != nil {
		args = append(args, "--port", "0", "--tls-port", strconv.Itoa(s.port), "--tls-auth-clients", "no",
			"--tls-cert-file", s.cert.Cert, "--tls-key-file", s.cert.Key, "--tls-ca-cert-file", s.cert.CA)
	} else {
		args = append(args, "--port", strconv.Itoa(s.port))
	}
	if s.opt.AppendOnly {
		args = append(args, "--appendonly", "yes")
	}
	if s.opt.AppendFsync != "" {
		args = append(args, "--appendfsync", s.opt.AppendFsync)
	}
	return append(args, s.opt.Args...)
}

// start runs the process and waits until it answers.
func (s *Server) start() error {
	return s.run(s.args(), func() error {
		_, err := s.CLI("PING")
		return err
	})
}

// run starts redis-server with args and waits until ready returns nil.
func (s *Server) run(args []string, ready func() error) error {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.New("redis-server is missing: install it with `sudo apt-get install redis-server`")
	}
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own copy
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, dieWithParent()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // ends with the process, which Stop ends
	s.mu.Lock()
	s.cmd, s.done = cmd, done
	s.mu.Unlock()
	err = within(startTime, done, ready)
	if err != nil {
		s.Kill9()
		return fmt.Errorf("redis-server does not answer: %w\n%s", err, s.Log())
	}
	return nil
}

// within calls ready until it returns nil, for at most d and while ended is open.
func within(d time.Duration, ended <-chan struct{}, ready func() error) error {
	deadline := time.Now().Add(d)
	for {
		err := ready()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ended:
			return errors.New("the process has ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "redis-"+strconv.Itoa(s.port)+".log") }

// Log is what the process last wrote.
func (s *Server) Log() string {
	data, _ := os.ReadFile(s.logPath()) // no log is an empty log
	return string(data)
}

// signal sends sig to the running process and returns what is closed at its end.
func (s *Server) signal(sig syscall.Signal) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	_ = s.cmd.Process.Signal(sig) // it may have ended by itself
	return s.done
}

// Kill9 ends the process with SIGKILL. Restart brings it back.
func (s *Server) Kill9() {
	<-s.signal(syscall.SIGKILL)
	s.gone()
}

// Stop ends the process. Doing it twice is harmless.
func (s *Server) Stop() {
	s.signal(syscall.SIGCONT)
	select {
	case <-s.signal(syscall.SIGTERM):
	case <-time.After(stopTime):
		<-s.signal(syscall.SIGKILL)
	}
	s.gone()
}

func (s *Server) gone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd = nil
}

// Pause freezes the process with SIGSTOP; its connections stay open.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Restart ends the process, if it still runs, and starts it again on the same port
// and folder; it returns when the data is loaded.
func (s *Server) Restart() error {
	s.Stop()
	return s.start()
}
