// Command slow measures whether clients that hold connections keep the bot from serving:
// slowhttptest sends headers, bodies and reads by the drop on hundreds of connections,
// then thousands of connections are opened and left alone. Meanwhile signed webhooks
// come at a steady rate, each on a connection of its own, and each must be acknowledged.
//
// It exits with 1 when a webhook was not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"whatsappnode/test/bench/report"
	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

type plan struct {
	binary     string
	slow, idle int
	rate       int
	phase      time.Duration
}

func main() {
	var p plan
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary to measure")
	flag.IntVar(&p.slow, "slow", 500, "slow connections")
	flag.IntVar(&p.idle, "idle", 10_000, "idle connections; this process and the bot need a file descriptor for each")
	flag.IntVar(&p.rate, "rate", 50, "webhooks a second")
	flag.DurationVar(&p.phase, "phase", 15*time.Second, "length of each attack")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bad, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "slow:", err)
		os.Exit(2)
	}
	if bad > 0 {
		fmt.Printf("FAIL: %d webhooks were not acknowledged\n", bad)
		os.Exit(1)
	}
	fmt.Println("PASS: every webhook was acknowledged")
}

func run(ctx context.Context, p plan) (int, error) {
	dir, err := os.MkdirTemp("", "slow-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	world, err := rig.NewWorld(ctx, dir, 1, simulator.DefaultFaults())
	if err != nil {
		return 0, err
	}
	defer world.Close()
	bot, err := rig.NewProcess(p.binary, "", dir, "bot", world.Addr, "STORE_PATH="+dir+"/bot.db", "REPLY_MODE=text", "RATE_LIMIT_MESSAGES=0", "LOG_LEVEL=warn")
	if err != nil {
		return 0, err
	}
	if err := bot.Start(ctx); err != nil {
		return 0, err
	}
	defer bot.Stop()

	fmt.Printf("%-34s %8s %8s %9s %9s %9s %9s  %s\n", "phase", "webhooks", "failed", "p50", "p99", "slowest", "memory", "connections held")
	bad := 0
	for _, a := range attacks(p) {
		result, err := measure(ctx, p, bot, a)
		if err != nil {
			return bad, fmt.Errorf("%s: %w", a.name, err)
		}
		q := report.Summarize(result.took)
		fmt.Printf("%-34s %8d %8d %9s %9s %9s %6d MB  %s\n", a.name, q.N, result.failed,
			q.P50.Round(10*time.Microsecond), q.P99.Round(10*time.Microsecond), q.Max.Round(10*time.Microsecond), result.memory>>20, result.held)
		bad += result.failed
	}
	return bad, nil
}
