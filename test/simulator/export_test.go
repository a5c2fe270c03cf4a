package simulator

import (
	"net/http"
	"os"
)

// SetTransport replaces the network of the webhooks.
func (s *Simulator) SetTransport(t http.RoundTripper) { s.hook.Transport = t }

// BreakLog makes every further write to the log file fail.
func (s *Simulator) BreakLog() error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	readOnly, err := os.Open(s.log.file.Name())
	if err != nil {
		return err
	}
	err = s.log.file.Close()
	s.log.file = readOnly
	return err
}
