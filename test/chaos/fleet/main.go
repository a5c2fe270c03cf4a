// Command fleet runs several serve and worker processes on one real Redis, with the
// simulated WhatsApp as Meta, and breaks everything in turn: processes are killed
// and frozen, Redis is killed and restarted, the network to it is cut, Graph calls
// fail, throttle, or are cut off after acceptance. Then it audits the simulator's
// log: every acknowledged message answered, none twice, each user in order.
//
// It exits with 1 when a promise was broken. The seed is printed and replays the
// same messages and the same schedule of faults, as far as the machine does.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"whatsappnode/test/chaos/rig"
)

type plan struct {
	binary           string
	duration         time.Duration
	rate, users      int
	serves, workers  int
	seed             uint64
	settle, lease    time.Duration
	restLeast        time.Duration
	restMost         time.Duration
	calm, killsOnly  bool
	replica, cluster bool
	hangEvery        int
}

// knobs is how the vendors behave: quick, and now and then one never answers.
func (p plan) knobs() string {
	knobs := "ttft=20ms,rate=400"
	if p.hangEvery > 0 {
		knobs += fmt.Sprintf(",hang=every%d", p.hangEvery)
	}
	return knobs
}

func main() {
	var p plan
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary under test")
	flag.DurationVar(&p.duration, "duration", time.Minute, "how long messages are sent and things are broken")
	flag.IntVar(&p.rate, "rate", 50, "messages a second")
	flag.IntVar(&p.users, "users", 200, "users who send them")
	flag.IntVar(&p.serves, "serves", 2, "processes that take webhooks")
	flag.IntVar(&p.workers, "workers", 2, "processes that answer")
	flag.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "seed of every random choice")
	flag.DurationVar(&p.settle, "settle", 10*time.Second, "SETTLE_WAIT of the bot; longer than any one outage, or the status that tells comes too late")
	flag.DurationVar(&p.lease, "lease", 4*time.Second, "LEASE_TIME of the bot")
	flag.BoolVar(&p.replica, "replica", false, "a Redis with a replica that takes over, and REDIS_ACK=replicas:1")
	flag.BoolVar(&p.cluster, "cluster", false, "a Redis Cluster of three masters that are lost in turn")
	flag.IntVar(&p.hangEvery, "hang", 200, "each so many calls of the model are never answered, and the user gets the fallback message; 0 for none")
	flag.DurationVar(&p.restLeast, "rest-least", 100*time.Millisecond, "shortest rest between two faults")
	flag.DurationVar(&p.restMost, "rest-most", 1500*time.Millisecond, "longest rest between two faults")
	flag.BoolVar(&p.killsOnly, "kills-only", false, "break nothing but processes")
	flag.BoolVar(&p.calm, "calm", false, "break nothing, to see the rest work")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if p.cluster && p.replica {
		fmt.Fprintln(os.Stderr, "fleet: -cluster and -replica exclude each other")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(ctx, p.duration+3*time.Minute)
	defer cancel()
	verdict, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(2)
	}
	verdict.Print(os.Stdout)
	if !verdict.Clean() {
		os.Exit(1)
	}
}

// servers names what the processes share.
func (p plan) servers() string {
	switch {
	case p.cluster:
		return "a Redis Cluster"
	case p.replica:
		return "one Redis with a replica"
	}
	return "one Redis"
}

func run(ctx context.Context, p plan) (rig.Verdict, error) {
	fmt.Printf("seed %d: %d messages/s of %d users for %s; %d serve and %d worker processes on %s\n",
		p.seed, p.rate, p.users, p.duration, p.serves, p.workers, p.servers())
	f, err := newFleet(ctx, p)
	if err != nil {
		return rig.Verdict{}, err
	}
	defer f.close()

	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, f.world, p) }()
	breaking, stop := context.WithTimeout(ctx, p.duration)
	defer stop()
	if !p.calm {
		f.breakThings(breaking, rand.New(rand.NewPCG(p.seed, 3)))
	}
	<-breaking.Done()
	if err := f.heal(ctx); err != nil {
		return rig.Verdict{}, err
	}
	if err := <-sent; err != nil {
		return rig.Verdict{}, err
	}
	verdict := f.world.Settle(ctx, 3*p.settle+4*p.lease+40*time.Second, p.settle+p.lease+time.Second)
	verdict.Took = time.Since(began)
	for _, b := range f.bots {
		verdict.Starts += b.Starts()
	}
	f.stop()
	for _, b := range f.bots {
		verdict.Ambiguous += b.Count("reply.ambiguous")
	}
	f.report(os.Stdout)
	f.unclean = !verdict.Clean()
	return verdict, nil
}

// send posts messages at a steady rate, users in random order.
func send(ctx context.Context, world *rig.World, p plan) error {
	rng := rand.New(rand.NewPCG(p.seed, 2))
	users, err := world.Invite(p.users)
	if err != nil {
		return err
	}
	next := make([]int, p.users)
	began := time.Now()
	for i := range int(p.duration.Seconds() * float64(p.rate)) {
		if err := rig.Sleep(ctx, time.Until(began.Add(time.Duration(i)*time.Second/time.Duration(p.rate)))); err != nil {
			return err
		}
		u := rng.IntN(p.users)
		next[u]++
		if _, err := world.Sim.SendText(users[u], rig.Token(users[u], next[u])); err != nil {
			return err
		}
	}
	return nil
}
