// Command killtest sends messages to the real binary on the embedded store while it
// is killed with SIGKILL again and again, and then audits the simulated WhatsApp's
// log: every message answered, none twice, each user in order.
//
// It exits with 1 when a promise was broken. The seed is printed and replays the
// same messages and the same moments of killing.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

type plan struct {
	binary                  string
	messages, users, kills  int
	duplicates, dropAnswers int
	replyMode               string
	seed                    uint64
	settle                  time.Duration
	timeout                 time.Duration
}

func main() {
	var p plan
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary under test")
	flag.IntVar(&p.messages, "messages", 1000, "messages to send")
	flag.IntVar(&p.users, "users", 100, "users who send them")
	flag.IntVar(&p.kills, "kills", 10, "SIGKILLs while messages are under way")
	flag.IntVar(&p.duplicates, "duplicates", 10, "percent of webhooks delivered twice")
	flag.IntVar(&p.dropAnswers, "drop-answers", 0, "percent of sends whose answer is cut off after acceptance")
	flag.StringVar(&p.replyMode, "reply-mode", "text", "REPLY_MODE of the bot: text or voice")
	flag.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "seed of every random choice")
	flag.DurationVar(&p.settle, "settle", 3*time.Second, "SETTLE_WAIT of the bot")
	flag.DurationVar(&p.timeout, "timeout", 4*time.Minute, "time for everything")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	verdict, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "killtest:", err)
		os.Exit(2)
	}
	verdict.Print(os.Stdout)
	if !verdict.Clean() {
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (rig.Verdict, error) {
	fmt.Printf("seed %d: %d messages of %d users, %d %% duplicated, %d kills, reply mode %s\n",
		p.seed, p.messages, p.users, p.duplicates, p.kills, p.replyMode)
	dir, err := os.MkdirTemp("", "killtest-")
	if err != nil {
		return rig.Verdict{}, err
	}
	defer os.RemoveAll(dir)
	faults := simulator.DefaultFaults()
	faults.DuplicatePercent, faults.DropAnswerPercent = p.duplicates, p.dropAnswers
	world, err := rig.NewWorld(ctx, dir, p.seed, faults)
	if err != nil {
		return rig.Verdict{}, err
	}
	defer world.Close()
	bot, err := rig.NewProcess(p.binary, "", dir, "bot", world.Addr,
		"STORE_PATH="+filepath.Join(dir, "bot.db"), "REPLY_MODE="+p.replyMode, "SETTLE_WAIT="+p.settle.String())
	if err != nil {
		return rig.Verdict{}, err
	}
	defer bot.Kill()
	if err := bot.Start(ctx); err != nil {
		return rig.Verdict{}, err
	}
	if err := world.Sim.SetWebhookURL("http://" + bot.Addr + "/webhook"); err != nil {
		return rig.Verdict{}, err
	}

	rng := rand.New(rand.NewPCG(p.seed, 1))
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, world, p, rand.New(rand.NewPCG(p.seed, 2))) }()
	for i := range p.kills {
		if err := rig.Sleep(ctx, time.Duration(200+rng.IntN(1300))*time.Millisecond); err != nil {
			return rig.Verdict{}, err
		}
		bot.Kill()
		if err := bot.Start(ctx); err != nil {
			return rig.Verdict{}, fmt.Errorf("restart %d: %w", i+1, err)
		}
	}
	if err := <-sent; err != nil {
		return rig.Verdict{}, err
	}
	verdict := world.Settle(ctx, 2*p.settle+20*time.Second, p.settle+time.Second)
	verdict.Took, verdict.Starts = time.Since(began), bot.Starts()
	bot.Stop()
	verdict.Ambiguous = bot.Count("reply.ambiguous")
	return verdict, nil
}

// send spreads the messages over the time the kills take, users in random order.
func send(ctx context.Context, world *rig.World, p plan, rng *rand.Rand) error {
	users, err := world.Invite(p.users)
	if err != nil {
		return err
	}
	gap := time.Duration(p.kills) * 900 * time.Millisecond / time.Duration(max(p.messages, 1))
	next := make([]int, p.users)
	for range p.messages {
		u := rng.IntN(p.users)
		next[u]++
		if _, err := world.Sim.SendText(users[u], rig.Token(users[u], next[u])); err != nil {
			return err
		}
		if err := rig.Sleep(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}
