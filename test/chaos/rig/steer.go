package rig

import (
	"context"
	"net/http"
	"time"
)

// steerLook is how often Steer asks; a balancer in the field asks every few seconds.
const steerLook = 50 * time.Millisecond

// Steer sends new connections to those of the addresses that answer /ready with 200, as
// balancers in the field do, until ctx ends. Connections that are open stay. While nobody
// is ready the targets stay what they were. It blocks.
func (b *Balancer) Steer(ctx context.Context, addresses func() []string) {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		var ready []string
		for _, addr := range addresses() {
			if answersReady(ctx, client, addr) {
				ready = append(ready, addr)
			}
		}
		if len(ready) > 0 {
			b.mu.Lock()
			b.targets = ready
			b.mu.Unlock()
		}
		if Sleep(ctx, steerLook) != nil {
			return
		}
	}
}

func answersReady(ctx context.Context, client *http.Client, addr string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/ready", nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
