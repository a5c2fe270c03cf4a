package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

const (
	// patience is how long an ordinary person waits for an answer.
	patience = 60 * time.Second
	// reading is how long they read it before they write again.
	reading = 3 * time.Second
)

// people are the ordinary ones: each asks, waits, reads and asks again.
type people struct {
	world *rig.World
	ids   []string
	// attacked says in which of the two times a question is asked.
	attacked atomic.Bool

	mu       sync.Mutex
	waits    [2][]time.Duration // alone, under attack
	unserved int
}

func invite(w *rig.World, n int) (*people, error) {
	ids, err := w.Invite(n)
	return &people{world: w, ids: ids}, err
}

// talk lets everybody talk until ctx ends, and waits for their last answers.
func (p *people) talk(ctx context.Context) error {
	var wg sync.WaitGroup
	faults := make(chan error, len(p.ids))
	for i, id := range p.ids {
		wg.Go(func() {
			if rig.Sleep(ctx, reading*time.Duration(i)/time.Duration(len(p.ids))) != nil {
				return
			}
			for n := 1; ctx.Err() == nil; n++ {
				if err := p.ask(id, n); err != nil {
					faults <- err
					return
				}
				_ = rig.Sleep(ctx, reading)
			}
		})
	}
	wg.Wait()
	close(faults)
	return <-faults
}

// ask sends one question and waits for its answer, also when everything ends.
func (p *people) ask(id string, n int) error {
	when := 0
	if p.attacked.Load() {
		when = 1
	}
	had := len(p.world.Sim.Outbound(id))
	began := time.Now()
	if _, err := p.world.Sim.SendText(id, question(id, n)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := p.world.Sim.Wait(ctx, func(v simulator.Snapshot) bool { return len(v.Outbound(id)) > had })
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.unserved++
		return nil
	}
	p.waits[when] = append(p.waits[when], time.Since(began))
	return nil
}

// topics and asks make questions that differ as those of a person do: who repeats
// himself is taken for a machine.
var (
	asks = []string{
		"Hi, could you tell me about %s?", "What does %s cost at the moment?", "I'd like to know more about %s, please.",
		"My sister asked about %s. What should I say to her?", "Is there any news on %s?", "Do you still have %s?",
		"Thanks! And how about %s, would that work for me as well?", "One more thing: who takes care of %s on Sundays?",
	}
	topics = []string{
		"garden chairs", "the repair of my bicycle", "delivery to the islands", "gift cards", "opening hours over Christmas", "a table for six",
		"your loyalty programme", "the blue raincoat in size L", "returns without a receipt", "vegetarian dishes", "a second key", "parking near the shop",
		"the course for beginners",
	}
)

func question(id string, n int) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	n += int(h.Sum32() % 97)
	return fmt.Sprintf(asks[n%len(asks)], topics[n%len(topics)])
}

// percentile is of the waits in one of the two times; zero without any.
func (p *people) percentile(when int, q float64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := slices.Sorted(slices.Values(p.waits[when]))
	if len(w) == 0 {
		return 0
	}
	return w[min(int(q*float64(len(w))), len(w)-1)]
}

// tell prints both times and their ratio.
func (p *people) tell() {
	p.mu.Lock()
	alone, under := len(p.waits[0]), len(p.waits[1])
	p.mu.Unlock()
	fmt.Printf("ordinary people: %d answers alone, %d under attack, %d questions without an answer\n", alone, under, p.unserved)
	for _, q := range []float64{0.5, 0.95, 0.99} {
		a, b := p.percentile(0, q), p.percentile(1, q)
		fmt.Printf("  p%-3.0f %6.0f ms alone, %6.0f ms under attack: %.2f times\n", q*100, ms(a), ms(b), float64(b)/float64(max(a, 1)))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
