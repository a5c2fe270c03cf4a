package mcp

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Defaults and bounds of a Server.
const (
	DefaultTimeout   = 10 * time.Second
	MaxTimeout       = 5 * time.Minute
	DefaultMaxResult = 8 << 10
	MinMaxResult     = 256
	MaxMaxResult     = 256 << 10
)

// Server says how a server is reached: by Command or by URL.
type Server struct {
	// Name is the operator's: small letters and digits. The tools' names begin with it.
	Name string
	// Command is the program and its arguments. A program without a slash is looked for
	// in this program's own PATH.
	Command []string
	// Env is the whole environment of the program. Values are asked for at each start.
	Env map[string]func() string
	// Dir is where the program runs; empty is where this one does.
	Dir string
	// URL is the endpoint of a server on the network.
	URL string
	// Headers are sent with each request. Values are asked for each time.
	Headers map[string]func() string
	// Secret says that a header is secret, so that it must not travel in clear.
	Secret bool
	// Timeout bounds one call of a tool; 0 is DefaultTimeout.
	Timeout time.Duration
	// MaxResult is how many bytes of a result the model gets; 0 is DefaultMaxResult.
	MaxResult int
}

var (
	serverName = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	headerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)
)

// complete fills in the defaults and lists all faults.
func (s Server) complete() (Server, []error) {
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	if s.MaxResult == 0 {
		s.MaxResult = DefaultMaxResult
	}
	var faults []error
	fault := func(text string, args ...any) { faults = append(faults, fmt.Errorf(text, args...)) }
	if !serverName.MatchString(s.Name) {
		fault("name must be 1 to 20 small letters and digits, a letter first")
	}
	switch {
	case (len(s.Command) > 0) == (s.URL != ""):
		fault("either command or url must be given")
	case len(s.Command) > 0 && s.Command[0] == "":
		fault("command is empty")
	case s.URL != "":
		if err := s.checkURL(); err != nil {
			fault("url %w", err)
		}
	}
	if s.URL != "" && len(s.Env)+len(s.Dir) > 0 {
		fault("env and dir belong to a command")
	}
	if len(s.Command) > 0 && len(s.Headers) > 0 {
		fault("headers belong to a url")
	}
	for name := range s.Env {
		if !envName.MatchString(name) {
			fault("env holds what is no name of a variable")
		}
	}
	for name := range s.Headers {
		if !headerName.MatchString(name) {
			fault("headers holds what is no name of a header")
		}
	}
	if s.Timeout < 100*time.Millisecond || s.Timeout > MaxTimeout {
		fault("timeout must be between 100ms and %s", MaxTimeout)
	}
	if s.MaxResult < MinMaxResult || s.MaxResult > MaxMaxResult {
		fault("max_result must be between %d bytes and %d KiB", MinMaxResult, MaxMaxResult>>10)
	}
	return s, faults
}

// checkURL never shows the address: somebody may have put a key into it.
func (s Server) checkURL() error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.Fragment != "", u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be http or https, a host and a path")
	case u.Scheme == "http" && s.Secret && !loopback(u.Hostname()):
		return errors.New("must be https where a secret goes with it, or a host on this machine")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
