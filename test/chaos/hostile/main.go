// Command hostile attacks the real binary while ordinary people talk to it, and tells
// whether they notice.
//
// First they are alone, then for as long as asked they share the bot with forged and
// replayed webhooks, bodies of 3 MB, slow clients, a person who writes fifty times a
// second, injections, written and spoken, corrupt and oversized sound, and, once, ten
// thousand people who write for the first time at the same moment. In the end a small
// budget for everybody meets another crowd. It prints how long the ordinary people waited,
// in both times and as a ratio, and exits with 1 when one of them got no answer, when more
// than a turn was spent beyond the budget, when a forged webhook was taken, when most
// injections of one kind did not reach the model, or when the bot's log or metrics tell
// anything about a person.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type plan struct {
	binary     string
	injections string
	calm       time.Duration
	attack     time.Duration
	users      int
	crowd      int
	seed       uint64
}

func main() {
	var p plan
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary under test")
	flag.StringVar(&p.injections, "injections", "test/e2e/testdata/redteam.yaml", "file of injections; each is written and spoken")
	flag.DurationVar(&p.calm, "calm", 45*time.Second, "time without an attack, to compare with")
	flag.DurationVar(&p.attack, "attack", 5*time.Minute, "time under attack")
	flag.IntVar(&p.users, "users", 30, "ordinary people")
	flag.IntVar(&p.crowd, "crowd", 10_000, "people who write for the first time at once")
	flag.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "seed of every random choice")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.calm+p.attack+10*time.Minute)
	defer cancel()
	broken, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(2)
	}
	for _, b := range broken {
		fmt.Println("BROKEN:", b)
	}
	if len(broken) > 0 {
		os.Exit(1)
	}
	fmt.Println("every promise was kept")
}

// run returns the promises that were broken.
func run(ctx context.Context, p plan) ([]string, error) {
	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("seed %d: %d people, %s alone and %s under attack\n", p.seed, p.users, p.calm, p.attack)
	broken, err := p.underAttack(ctx, dir)
	if err != nil {
		return broken, err
	}
	more, err := p.onBudget(ctx, dir)
	return append(broken, more...), err
}
