// Command redis measures the production binary on Redis: how many webhooks a second
// it acknowledges on one core, how long an acknowledgement takes at a steady rate,
// what a message costs in Redis commands and bytes, and how soon a worker takes up
// what was admitted.
//
// Speed is told as a ratio to a bare net/http handler that checks the signature and
// runs one script of SET NX and XADD on the same Redis, in turns within one run: the
// least that a durable webhook without duplicates can cost. The measured process has
// one core for itself; Redis and the load share the others. It needs Linux, two
// cores, taskset and redis-server.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"whatsappnode/test/redisserver"
)

// plan is what a run measures, and for how long.
type plan struct {
	binary      string
	dir         string
	core        string // of the measured process
	rounds      int
	round       time.Duration
	connections int
	rate        int
	steady      time.Duration
	messages    int
	wakes       int
	profile     string
	logLevel    string
}

func main() {
	p := plan{}
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary to measure")
	flag.IntVar(&p.rounds, "rounds", 3, "rounds of each side at full speed")
	flag.DurationVar(&p.round, "round", 3*time.Second, "length of a round")
	flag.IntVar(&p.connections, "connections", 64, "keep-alive connections at full speed")
	flag.IntVar(&p.rate, "rate", 1000, "webhooks a second at a steady rate")
	flag.DurationVar(&p.steady, "steady", 8*time.Second, "length of the steady load")
	flag.IntVar(&p.messages, "messages", 1000, "messages to count commands over")
	flag.IntVar(&p.wakes, "wakes", 1000, "admissions to measure the wake-up over")
	flag.StringVar(&p.profile, "profile", "", "write a CPU profile of the serve role at full speed to this file")
	flag.StringVar(&p.logLevel, "log-level", "warn", "LOG_LEVEL of the bot; info writes two lines a webhook")
	bare := flag.String("bare", "", "be the bare handler on this Redis address (used by the program itself)")
	wake := flag.String("wake", "", "measure the wake-up on this Redis URL (used by the program itself)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *bare != "":
		err = serveBare(ctx, *bare, flag.Arg(0))
	case *wake != "":
		err = measureWake(ctx, *wake, p.wakes)
	default:
		ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		err = run(ctx, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (err error) {
	if p.core, err = pin(); err != nil {
		return err
	}
	// The load has a core or more to itself, and waits in system calls.
	runtime.GOMAXPROCS(4)
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return err
	}
	if _, err := os.Stat(p.binary); err != nil {
		return fmt.Errorf("the binary is missing, run `make build`: %w", err)
	}
	if p.dir, err = os.MkdirTemp("", "bench-redis-"); err != nil {
		return err
	}
	defer os.RemoveAll(p.dir)
	fmt.Printf("the measured process runs on core %s alone (GOMAXPROCS=1); Redis and the load share the others\n", p.core)
	for _, aof := range []string{"everysec", "always"} {
		if err := p.withRedis(aof, func(redis *redisserver.Server) error { return p.speed(ctx, redis, aof) }); err != nil {
			return fmt.Errorf("speed with AOF %s: %w", aof, err)
		}
	}
	if err := p.withRedis("everysec", func(redis *redisserver.Server) error { return p.cost(ctx, redis) }); err != nil {
		return fmt.Errorf("cost: %w", err)
	}
	return p.withRedis("everysec", func(redis *redisserver.Server) error { return p.wake(ctx, redis) })
}

// withRedis lends fn a server that keeps an append-only file. It is never rewritten
// meanwhile: that would fall into one side's round and not into the other's.
func (p plan) withRedis(aof string, fn func(redis *redisserver.Server) error) error {
	dir, err := os.MkdirTemp(p.dir, "redis-")
	if err != nil {
		return err
	}
	redis, err := redisserver.Launch(dir, redisserver.Options{
		AppendOnly: true, AppendFsync: aof, Args: []string{"--auto-aof-rewrite-percentage", "0"},
	})
	if err != nil {
		return err
	}
	defer redis.Stop()
	return fn(redis)
}

// pinned marks the program after it has given away the core of the measured process.
const pinned = "BENCH_REDIS_CORE"

// pin replaces the program by itself on all cores but the first, which it returns.
func pin() (string, error) {
	if core := os.Getenv(pinned); core != "" {
		return core, nil
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "", fmt.Errorf("which cores there are is only known on Linux: %w", err)
	}
	_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	cores, err := coresOf(strings.TrimSpace(list))
	if err != nil {
		return "", err
	}
	if len(cores) < 2 {
		return "", fmt.Errorf("two cores are needed, and %q is allowed", list)
	}
	return "", restartOn(cores[1:], pinned+"="+cores[0])
}
