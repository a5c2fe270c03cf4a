package whatsapp

import (
	"crypto/sha256"
	"errors"
	"sync"
)

// health remembers that Meta refused the access token. Only a digest is kept: the
// token's home is elsewhere.
type health struct {
	mu     sync.Mutex
	denied bool
	token  [sha256.Size]byte
	err    error
}

var errNoToken = errors.New("there is no access token")

func (h *health) deny(token string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.denied, h.token, h.err = true, sha256.Sum256([]byte(token)), err
}

func (h *health) succeed(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.denied && h.token == sha256.Sum256([]byte(token)) {
		h.denied, h.err = false, nil
	}
}

func (h *health) check(token string) error {
	if token == "" {
		return errNoToken
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.denied && h.token == sha256.Sum256([]byte(token)) {
		return h.err
	}
	return nil
}

// Healthy returns nil, or why nothing can be sent: Meta refused the access token in
// force, or there is none. It is nil again once a call with that token succeeds or
// the token function returns another. It makes no call, and is safe for
// concurrent use.
func (m *Messenger) Healthy() error {
	return m.health.check(m.cfg.AccessToken())
}
