package rig

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"whatsappnode/test/simulator"
)

// World is the simulated WhatsApp of a run, served on loopback.
type World struct {
	Sim  *simulator.Simulator
	Addr string
	// Tolerant says that vendors fail in this run, so that an apology is a good end.
	Tolerant bool

	server *http.Server
	served chan struct{}
}

// NewWorld starts a simulator that retries as Meta does, on a scale for tests. Its
// log is written to dir, each accepted send before it is answered.
func NewWorld(ctx context.Context, dir string, seed uint64, faults simulator.Faults) (*World, error) {
	sim, err := simulator.New(simulator.Config{
		PhoneNumberID: NumberID, AccessToken: AccessToken, AppSecret: AppSecret, VerifyToken: VerifyToken,
		RetrySchedule: simulator.FastRetries(), WebhookTimeout: 3 * time.Second, Faults: &faults, Seed: seed,
		LogPath: filepath.Join(dir, "simulator.jsonl"), MaxInFlightWebhooks: 256, // Meta does not queue behind one that hangs
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &World{
		Sim: sim, Addr: listener.Addr().String(), served: make(chan struct{}),
		server: &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 5 * time.Second},
	}
	go func() {
		defer close(w.served)
		_ = w.server.Serve(listener)
	}()
	if err := sim.SetBaseURL("http://" + w.Addr); err != nil {
		w.Close()
		return nil, err
	}
	if err := sim.Start(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the simulator and waits for it.
func (w *World) Close() {
	_ = w.Sim.Close()
	_ = w.server.Close()
	<-w.served
}

// Invite adds users; every tenth has a username and no phone number.
func (w *World) Invite(n int) ([]string, error) {
	users := make([]string, n)
	for i := range users {
		u, err := w.Sim.AddUser(simulator.UserSpec{Name: fmt.Sprintf("User %d", i), UsernameOnly: i%10 == 9, Username: fmt.Sprintf("user%d", i)})
		if err != nil {
			return nil, err
		}
		users[i] = u.ID
	}
	return users, nil
}

// Audit reads what came out so far.
func (w *World) Audit(ctx context.Context) Verdict {
	v := Audit(w.Sim, func(id string) ([]byte, error) { return fetch(ctx, "http://"+w.Addr+"/sim/files/"+id) })
	v.Tolerant = w.Tolerant
	return v
}

// Settle waits until every message is answered and nothing is under way, or until
// nothing has changed for patience, and then for the settle time: an answer that is
// said twice may come late.
func (w *World) Settle(ctx context.Context, patience, settle time.Duration) Verdict {
	v, still := w.Audit(ctx), time.Now()
	pause := 300 * time.Millisecond
	for time.Since(still) < patience && !(v.Clean() && w.Sim.Counts().Pending == 0) {
		if Sleep(ctx, pause) != nil {
			return v
		}
		began := time.Now()
		now := w.Audit(ctx)
		pause = max(pause, 5*time.Since(began)) // a long run is audited less often, and leaves the CPU to the bots
		if now.Answers != v.Answers || w.Sim.Counts().Pending > 0 {
			still = time.Now()
		}
		v = now
	}
	_ = Sleep(ctx, settle)
	return w.Audit(ctx)
}

// fetch reads a file the simulator serves to its page.
func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
