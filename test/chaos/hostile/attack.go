package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

// attack is what strangers do to a bot.
type attack struct {
	world  *rig.World
	addr   string
	client *http.Client
	seed   uint64
	rounds injections
	// writers and speakers are who sends the injections, as many as there are.
	writers, speakers []string

	forged, taken, replayed, huge, slow, flooded, written, spoken, sounds, crowd atomic.Int64
}

func newAttack(w *rig.World, addr string, seed uint64, rounds injections) *attack {
	return &attack{
		world: w, addr: addr, seed: seed, rounds: rounds,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

// every calls do at a rate until ctx ends; a call that is late is left out.
func every(ctx context.Context, gap time.Duration, do func(n int)) {
	tick := time.NewTicker(gap)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do(n)
		}
	}
}

// run attacks until ctx ends.
func (a *attack) run(ctx context.Context, crowd int) error {
	flooder, err := a.newcomer("flood")
	if err != nil {
		return err
	}
	if a.writers, err = a.newcomers("writer", len(a.rounds.texts)); err != nil {
		return err
	}
	if a.speakers, err = a.newcomers("speaker", len(a.rounds.clips)); err != nil {
		return err
	}
	noisy, err := a.newcomer("noise")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { every(ctx, 10*time.Millisecond, func(n int) { a.forge(ctx, n) }) })
	wg.Go(func() { every(ctx, 20*time.Millisecond, func(n int) { a.replay(n, flooder) }) })
	wg.Go(func() { every(ctx, time.Second, func(n int) { a.bulk(ctx, n) }) })
	wg.Go(func() { every(ctx, 20*time.Millisecond, func(n int) { a.flood(flooder, n) }) })
	wg.Go(func() { every(ctx, 700*time.Millisecond, a.write) })
	wg.Go(func() { every(ctx, 700*time.Millisecond, a.speak) })
	wg.Go(func() { every(ctx, 2*time.Second, func(n int) { a.sound(noisy, n) }) })
	for range 100 {
		wg.Go(func() { a.crawl(ctx) })
	}
	wg.Go(func() {
		if rig.Sleep(ctx, 15*time.Second) == nil {
			a.strangers(ctx, crowd)
		}
	})
	wg.Wait()
	a.client.CloseIdleConnections()
	return nil
}

func (a *attack) newcomer(name string) (string, error) {
	u, err := a.world.Sim.AddUser(simulator.UserSpec{Name: name})
	return u.ID, err
}

func (a *attack) newcomers(name string, n int) ([]string, error) {
	var out []string
	for i := range n {
		id, err := a.newcomer(fmt.Sprintf("%s %d", name, i))
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// post sends bytes to the webhook and returns the status, or 0.
func (a *attack) post(ctx context.Context, body []byte, signature string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.addr+"/webhook", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", signature)
	resp, err := a.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode
}

// forge signs with a key that is not the app's.
func (a *attack) forge(ctx context.Context, n int) {
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{"id":"wamid.F%d"}]}}]}]}`, n)
	a.forged.Add(1)
	if status := a.post(ctx, body, fmt.Sprintf("sha256=%064x", n)); status == http.StatusOK {
		a.taken.Add(1)
	}
}

// replay delivers a genuine webhook again.
func (a *attack) replay(n int, user string) {
	sent := a.world.Sim.Messages(user)
	if len(sent) == 0 {
		return
	}
	if a.world.Sim.Redeliver(sent[n%len(sent)].ID) == nil {
		a.replayed.Add(1)
	}
}

// bulk sends bodies of 3 MB, every other one over the limit, none with a signature.
func (a *attack) bulk(ctx context.Context, n int) {
	size := 3 << 20
	if n%2 == 1 {
		size = 5 << 20
	}
	a.huge.Add(1)
	if status := a.post(ctx, bytes.Repeat([]byte("["), size), "sha256="+strings.Repeat("0", 64)); status == http.StatusOK {
		a.taken.Add(1)
	}
}

// flood is one person who writes fifty times a second.
func (a *attack) flood(user string, n int) {
	if _, err := a.world.Sim.SendText(user, fmt.Sprintf("and another thing, number %d", n)); err == nil {
		a.flooded.Add(1)
	}
}

// sound sends what no ear should be paid to hear.
func (a *attack) sound(user string, n int) {
	rng := rand.New(rand.NewPCG(a.seed, uint64(n)))
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	if n%3 == 1 {
		noise = append([]byte("OggS"), noise...)
	}
	if n%10 == 9 {
		noise = bytes.Repeat(noise, 320) // 20 MB
	}
	if _, err := a.world.Sim.SendVoice(user, noise); err == nil {
		a.sounds.Add(1)
	}
}

// crawl opens a connection and sends a header a byte at a time, again and again.
func (a *attack) crawl(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.addr)
		if err != nil {
			_ = rig.Sleep(ctx, time.Second)
			continue
		}
		a.slow.Add(1)
		_, err = io.WriteString(conn, "POST /webhook HTTP/1.1\r\nHost: bot\r\nX-Slow: ")
		for err == nil && rig.Sleep(ctx, time.Second) == nil {
			_, err = io.WriteString(conn, "a")
		}
		_ = conn.Close()
	}
}

// strangers write for the first time, all at once.
func (a *attack) strangers(ctx context.Context, n int) {
	for i := 0; i < n && ctx.Err() == nil; i++ {
		u, err := a.world.Sim.AddUser(simulator.UserSpec{Name: fmt.Sprintf("Stranger %d", i)})
		if err != nil {
			return
		}
		if _, err := a.world.Sim.SendText(u.ID, "Hello, what do you sell?"); err == nil {
			a.crowd.Add(1)
		}
	}
}

func (a *attack) tell() {
	fmt.Printf("attack: %d forged webhooks (%d taken), %d replays, %d bodies of 3 to 5 MB, %d slow connections, %d messages of one person, %d written and %d spoken injections (%d and %d of them answered), %d bad clips, a crowd of %d\n",
		a.forged.Load(), a.taken.Load(), a.replayed.Load(), a.huge.Load(), a.slow.Load(), a.flooded.Load(), a.written.Load(), a.spoken.Load(), a.answered(a.writers), a.answered(a.speakers), a.sounds.Load(), a.crowd.Load())
}
