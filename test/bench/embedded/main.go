// Command embedded measures the production binary on the embedded store, as a
// small business would run it on one machine: size, start, memory, and how fast
// it acknowledges webhooks at a steady rate.
//
// The load is open-loop: every request has a moment at which it is due, and its
// latency counts from then, so that a slow answer cannot hide the ones behind it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"whatsappnode/test/simulator"
)

func main() {
	binary := flag.String("binary", "bin/whatsapp-node", "the binary to measure")
	rate := flag.Int("rate", 200, "webhooks a second")
	duration := flag.Duration("duration", 20*time.Second, "length of the load")
	starts := flag.Int("starts", 20, "how often the start is measured")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx, *binary, *rate, *duration, *starts); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, rate int, duration time.Duration, starts int) error {
	info, err := os.Stat(binary)
	if err != nil {
		return fmt.Errorf("the binary is missing, run `make build`: %w", err)
	}
	fmt.Printf("binary size          %6.1f MB\n", float64(info.Size())/1e6)

	graph, closeGraph, err := startGraph(ctx)
	if err != nil {
		return err
	}
	defer closeGraph()

	var times []time.Duration
	var idle int
	for i := range starts {
		bot, err := startBot(ctx, binary, graph)
		if err != nil {
			return err
		}
		times = append(times, bot.up)
		if i == starts-1 {
			time.Sleep(2 * time.Second)
			idle = bot.rss()
		}
		bot.stop()
	}
	fmt.Printf("start to first 200   %6.1f ms median of %d, best %.1f ms\n", ms(quantile(times, 0.5)), starts, ms(quantile(times, 0)))
	fmt.Printf("idle RSS             %6.1f MB, 2 s after the start\n", float64(idle)/1e6)

	bot, err := startBot(ctx, binary, graph)
	if err != nil {
		return err
	}
	defer bot.stop()
	took, failed := load(ctx, bot.addr, rate, duration)
	fmt.Printf("ack at %d/s          p50 %.2f ms, p99 %.2f ms, max %.2f ms; %d of %d failed\n",
		rate, ms(quantile(took, 0.5)), ms(quantile(took, 0.99)), ms(quantile(took, 1)), failed, len(took))
	bare := bareWrite()
	fmt.Printf("ratio                p50 is %.1f times one fsynced write of the same size (%.2f ms) on this disk\n",
		float64(quantile(took, 0.5))/float64(bare), ms(bare))
	fmt.Printf("RSS after the load   %6.1f MB\n", float64(bot.rss())/1e6)
	if failed > 0 {
		return fmt.Errorf("%d webhooks were not acknowledged", failed)
	}
	return nil
}

// startGraph runs a simulated Graph API that takes every send.
func startGraph(ctx context.Context) (string, func(), error) {
	sim, err := simulator.New(simulator.Config{PhoneNumberID: numberID, AccessToken: accessToken, AppSecret: appSecret, VerifyToken: verifyToken})
	if err != nil {
		return "", nil, err
	}
	for i := range users {
		if _, err := sim.AddUser(simulator.UserSpec{Name: "User", Phone: phone(i)}); err != nil {
			return "", nil, err
		}
	}
	if err := sim.Start(ctx); err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	return listener.Addr().String(), func() { server.Close(); sim.Close() }, nil
}
