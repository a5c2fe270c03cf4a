// Command killtest sends messages to the real binary while it is killed with
// SIGKILL again and again, and then audits the simulated WhatsApp's log: every
// message answered, none twice, each user in order.
//
// It exits with 1 when a promise was broken. The seed is printed and replays the
// same messages and the same moments of killing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

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
	ok, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "killtest:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (bool, error) {
	fmt.Printf("seed %d: %d messages of %d users, %d %% duplicated, %d kills, reply mode %s\n",
		p.seed, p.messages, p.users, p.duplicates, p.kills, p.replyMode)
	dir, err := os.MkdirTemp("", "killtest-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)

	faults := simulator.DefaultFaults()
	faults.DuplicatePercent, faults.DropAnswerPercent = p.duplicates, p.dropAnswers
	sim, err := simulator.New(simulator.Config{
		PhoneNumberID: numberID, AccessToken: accessToken, AppSecret: appSecret, VerifyToken: verifyToken,
		RetrySchedule: simulator.FastRetries(), WebhookTimeout: 3 * time.Second, Faults: &faults, Seed: p.seed,
		LogPath: filepath.Join(dir, "simulator.jsonl"),
	})
	if err != nil {
		return false, err
	}
	defer sim.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	defer server.Close()
	if err := sim.SetBaseURL("http://" + listener.Addr().String()); err != nil {
		return false, err
	}

	bot, err := newBot(p, dir, listener.Addr().String())
	if err != nil {
		return false, err
	}
	defer bot.kill()
	if err := bot.start(ctx); err != nil {
		return false, err
	}
	if err := sim.SetWebhookURL("http://" + bot.addr + "/webhook"); err != nil {
		return false, err
	}
	if err := sim.Start(ctx); err != nil {
		return false, err
	}

	rng := rand.New(rand.NewPCG(p.seed, 1))
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, sim, p, rand.New(rand.NewPCG(p.seed, 2))) }()
	for i := range p.kills {
		if err := sleep(ctx, time.Duration(200+rng.IntN(1300))*time.Millisecond); err != nil {
			return false, err
		}
		bot.kill()
		if err := bot.start(ctx); err != nil {
			return false, fmt.Errorf("restart %d: %w", i+1, err)
		}
	}
	if err := <-sent; err != nil {
		return false, err
	}
	audit := func() verdict {
		return audit(sim, func(id string) ([]byte, error) {
			return fetch(ctx, "http://"+listener.Addr().String()+"/sim/files/"+id)
		})
	}
	verdict := settle(ctx, sim, p, audit)
	verdict.took, verdict.starts = time.Since(began), bot.starts
	bot.stop()
	verdict.ambiguous = bot.count(`reply.ambiguous`)
	verdict.print(os.Stdout)
	return verdict.clean(), nil
}

// settle waits until every message is answered and nothing is under way, or until
// nothing has changed for a while, and then a little longer: an answer that is said
// twice may come late.
func settle(ctx context.Context, sim *simulator.Simulator, p plan, audit func() verdict) verdict {
	v, still := audit(), time.Now()
	for time.Since(still) < 2*p.settle+20*time.Second && !(v.clean() && sim.Counts().Pending == 0) {
		if sleep(ctx, 300*time.Millisecond) != nil {
			return v
		}
		now := audit()
		if now.answers != v.answers || sim.Counts().Pending > 0 {
			still = time.Now()
		}
		v = now
	}
	_ = sleep(ctx, p.settle+time.Second)
	return audit()
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

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// send spreads the messages over the time the kills take, users in random order.
func send(ctx context.Context, sim *simulator.Simulator, p plan, rng *rand.Rand) error {
	users := make([]string, p.users)
	for i := range users {
		u, err := sim.AddUser(simulator.UserSpec{Name: fmt.Sprintf("User %d", i), UsernameOnly: i%10 == 9, Username: fmt.Sprintf("user%d", i)})
		if err != nil {
			return err
		}
		users[i] = u.ID
	}
	gap := time.Duration(p.kills) * 900 * time.Millisecond / time.Duration(max(p.messages, 1))
	next := make([]int, p.users)
	for range p.messages {
		u := rng.IntN(p.users)
		next[u]++
		if _, err := sim.SendText(users[u], token(users[u], next[u])); err != nil {
			return err
		}
		if err := sleep(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}
