package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

const (
	// knobs make the fake vendors about as slow as real ones.
	knobs = "ttft=300ms,rate=80,tokens=40"
	// slack is by how much longer than alone people may wait under attack at the 95th
	// percentile: what two runs without an attack differ by on a machine of two cores.
	slack = 1.25
)

// prices of the fake vendors; a written answer costs about a fifth of a cent, most of it for the message.
const prices = `
prices:
  - providers: [fake]
    page: A contract
    url: https://example.com/contract
    read: 2026-11-01
    models:
      - {names: ["*"], input: 0.01, output: 2.00, per_minute: 0.01, per_million_characters: 20.00}
messages:
  - page: A card
    url: https://example.com/card
    read: 2026-11-01
    rates:
      - {countries: ["*"], category: service, price: 0.002}
`

// start runs a world and a bot in it. done ends both.
func (p plan) start(ctx context.Context, dir, name string, env ...string) (w *rig.World, b *rig.Process, admin string, done func(), err error) {
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, "", nil, err
	}
	faults := simulator.DefaultFaults()
	faults.DuplicatePercent = 10
	if w, err = rig.NewWorld(ctx, dir, p.seed, faults); err != nil {
		return nil, nil, "", nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Close()
		return nil, nil, "", nil, err
	}
	admin = free.Addr().String()
	free.Close()
	list := filepath.Join(dir, "prices.yaml")
	if err = os.WriteFile(list, []byte(prices), 0o600); err == nil {
		b, err = rig.NewProcess(p.binary, "", dir, "bot", w.Addr, append([]string{
			"STORE_PATH=" + filepath.Join(dir, "bot.db"), "ADMIN_ADDR=" + admin, "PRICES_FILE=" + list,
			"REPLY_MODE=text", "FAKE_KNOBS=" + knobs, "WORKERS=64", "LOG_FORMAT=cloud",
		}, env...)...)
	}
	if err == nil {
		err = b.Start(ctx)
	}
	if err == nil {
		err = w.Sim.SetWebhookURL("http://" + b.Addr + "/webhook")
	}
	done = func() {
		if b != nil {
			b.Stop()
		}
		w.Close()
	}
	if err != nil {
		done()
		return nil, nil, "", nil, err
	}
	return w, b, admin, done, nil
}

// underAttack compares the waits of ordinary people.
func (p plan) underAttack(ctx context.Context, dir string) (broken []string, err error) {
	rounds, err := prepare(p.injections)
	if err != nil {
		return nil, err
	}
	w, b, admin, done, err := p.start(ctx, dir, "attack", "RATE_LIMIT_MESSAGES=30", "RATE_LIMIT_EVERY=3s", "LOOP_TURNS=8")
	if err != nil {
		return nil, err
	}
	stopped := false
	defer func() {
		if !stopped {
			done()
		}
	}()
	folk, err := invite(w, p.users)
	if err != nil {
		return nil, err
	}
	talking, hush := context.WithCancel(ctx)
	defer hush()
	ended := make(chan error, 1)
	go func() { ended <- folk.talk(talking) }()
	if err := rig.Sleep(ctx, p.calm); err != nil {
		return nil, err
	}
	folk.attacked.Store(true)
	attacking, cease := context.WithTimeout(ctx, p.attack)
	defer cease()
	a := newAttack(w, b.Addr, p.seed, rounds)
	if err := a.run(attacking, p.crowd); err != nil {
		return nil, err
	}
	hush()
	if err := <-ended; err != nil {
		return nil, err
	}
	a.tell()
	folk.tell()
	metrics, err := scrape(ctx, admin)
	if err != nil {
		return nil, err
	}
	done()
	stopped = true
	if n := a.taken.Load(); n > 0 {
		broken = append(broken, fmt.Sprintf("%d forged webhooks were taken", n))
	}
	broken = append(broken, a.unheard()...)
	if folk.unserved > 0 {
		broken = append(broken, fmt.Sprintf("%d questions of ordinary people got no answer", folk.unserved))
	}
	if alone, under := folk.percentile(0, 0.95), folk.percentile(1, 0.95); float64(under) > slack*float64(alone) {
		broken = append(broken, fmt.Sprintf("ordinary people wait %.2f times as long at p95", float64(under)/float64(max(alone, 1))))
	}
	return append(broken, leaks(w, filepath.Join(dir, "attack", "bot.log"), metrics, rounds.said)...), nil
}

// onBudget lets a crowd meet a budget for everybody.
func (p plan) onBudget(ctx context.Context, dir string) ([]string, error) {
	const budget, turn = 0.50, 0.005 // a turn of these prices costs far less
	w, b, _, done, err := p.start(ctx, dir, "budget", fmt.Sprintf("BUDGET_DAY=%.2f", budget))
	if err != nil {
		return nil, err
	}
	defer done()
	a := newAttack(w, b.Addr, p.seed, injections{})
	a.strangers(ctx, 500)
	if err := w.Sim.WaitIdle(ctx); err != nil {
		return nil, err
	}
	still, seen := time.Now(), -1
	for time.Since(still) < 12*time.Second { // longer than the books wait to be written
		if n := w.Sim.Counts().Accepted; n != seen {
			still, seen = time.Now(), n
		}
		if err := rig.Sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	dollars, err := p.spent(ctx, b)
	if err != nil {
		return nil, err
	}
	fmt.Printf("budget: a crowd of 500 with $%.2f for everybody: $%.4f spent, %d messages sent\n", budget, dollars, seen)
	switch {
	case dollars > budget+turn:
		return []string{fmt.Sprintf("$%.4f were spent of $%.2f", dollars, budget)}, nil
	case dollars < budget/2:
		return []string{fmt.Sprintf("only $%.4f of $%.2f were spent: the budget was not met, so nothing is proven", dollars, budget)}, nil
	}
	return nil, nil
}

// spent asks the costs command, beside the running bot.
func (p plan) spent(ctx context.Context, b *rig.Process) (float64, error) {
	cmd := exec.CommandContext(ctx, p.binary, "costs", "--json", "--days", "2")
	cmd.Env = b.Env()
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("costs: %w", err)
	}
	var costs struct {
		Total struct {
			Dollars float64 `json:"dollars"`
		} `json:"total"`
	}
	if err := json.Unmarshal(out, &costs); err != nil {
		return 0, fmt.Errorf("costs: %w", err)
	}
	return costs.Total.Dollars, nil
}

func scrape(ctx context.Context, admin string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}

// leaks looks for people and their words in what the bot told its operator.
func leaks(w *rig.World, log string, metrics []byte, words []string) []string {
	said, err := os.ReadFile(log)
	if err != nil {
		return []string{"the log cannot be read: " + err.Error()}
	}
	marks := []string{"size L", "the repair of my bicycle", "and another thing, number", "what do you sell", rig.AppSecret, rig.AccessToken}
	for _, said := range words {
		if len(said) >= 20 {
			marks = append(marks, said)
		}
	}
	for _, u := range w.Sim.Users() {
		for _, id := range []string{u.Phone, u.UserID, u.Username} {
			if len(id) >= 6 {
				marks = append(marks, id)
			}
		}
		if len(marks) > 2000 {
			break // the others differ in their digits only
		}
	}
	var found []string
	for _, m := range marks {
		if bytes.Contains(said, []byte(m)) || bytes.Contains(metrics, []byte(m)) {
			found = append(found, "the log or the metrics tell of a person or their words")
			break
		}
	}
	fmt.Printf("looked for %d names, numbers, words and secrets in %d kB of log and %d kB of metrics\n", len(marks), len(said)>>10, len(metrics)>>10)
	return found
}
