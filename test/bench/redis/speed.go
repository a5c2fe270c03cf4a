package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"whatsappnode/test/redisserver"
)

// mostRate is above what one core acknowledges; it bounds the requests made ready.
const mostRate = 25000

// figures are those of one side at full speed, one per round.
type figures struct {
	rate   []float64 // webhooks a second
	cpu    []float64 // microseconds of CPU a webhook
	busy   []float64 // share of its core
	server []float64 // share of a core that Redis used
}

// speed compares the bot with the bare handler, at full speed and at a steady rate.
func (p plan) speed(ctx context.Context, redis *redisserver.Server, aof string) error {
	admin := "off"
	if p.profile != "" {
		var err error
		if admin, err = freeAddr(); err != nil {
			return err
		}
	}
	bot, err := p.startServe(ctx, redis.URL(), aof, admin)
	if err != nil {
		return err
	}
	defer bot.stop()
	bare, err := p.startBare(ctx, redis.Addr())
	if err != nil {
		return err
	}
	defer bare.stop()
	sides := []*process{bot, bare}
	for _, side := range sides { // everybody has written before: the first message of a person is another case
		if _, _, err := closedLoop(side.addr, p.connections, time.Minute, requests(side.addr, 4*people)); err != nil {
			return fmt.Errorf("warm up (%s): %w", side.name, err)
		}
	}
	full := map[string]*figures{"bot": {}, "bare": {}}
	for range p.rounds {
		for _, side := range sides {
			if err := p.fullSpeed(side, redis, full[side.name]); err != nil {
				return fmt.Errorf("full speed (%s): %w", side.name, err)
			}
		}
	}
	fmt.Printf("\nAOF %s, full speed over %d connections, medians of %d rounds\n", aof, p.connections, p.rounds)
	for _, side := range sides {
		f := full[side.name]
		fmt.Printf("  %-4s %7.0f webhooks/s (%.0f to %.0f), %5.1f us CPU each, core %3.0f %% busy, Redis %3.0f %%\n", side.name,
			quantile(f.rate, 0.5), quantile(f.rate, 0), quantile(f.rate, 1), quantile(f.cpu, 0.5), 100*quantile(f.busy, 0.5), 100*quantile(f.server, 0.5))
	}
	fmt.Printf("  ratio %.2f of the rate, %.2f times the CPU (aim: at least 0.70, at most 1.50)\n",
		quantile(full["bot"].rate, 0.5)/quantile(full["bare"].rate, 0.5), quantile(full["bot"].cpu, 0.5)/quantile(full["bare"].cpu, 0.5))

	fmt.Printf("AOF %s, %d/s for %s, from the moment each was due\n", aof, p.rate, p.steady)
	for _, side := range sides {
		work := requests(side.addr, int(p.steady.Seconds()*float64(p.rate)))
		took, late, err := openLoop(side.addr, p.connections, p.rate, work)
		if err != nil {
			return fmt.Errorf("steady rate (%s): %w", side.name, err)
		}
		fmt.Printf("  %-4s p50 %.2f ms, p99 %.2f ms, max %.2f ms (sent late by p50 %.2f, p99 %.2f ms)\n", side.name,
			ms(quantile(took, 0.5)), ms(quantile(took, 0.99)), ms(quantile(took, 1)), ms(quantile(late, 0.5)), ms(quantile(late, 0.99)))
	}
	if p.profile != "" && aof == "everysec" {
		return p.writeProfile(bot, admin)
	}
	return ctx.Err()
}

// fullSpeed adds one round.
func (p plan) fullSpeed(side *process, redis *redisserver.Server, to *figures) error {
	work := requests(side.addr, int(p.round.Seconds()*mostRate))
	before, err := side.cpu()
	if err != nil {
		return err
	}
	serverBefore, err := cpuOf(redis.Pid())
	if err != nil {
		return err
	}
	done, took, err := closedLoop(side.addr, p.connections, p.round, work)
	if err != nil {
		return err
	}
	after, err := side.cpu()
	if err != nil {
		return err
	}
	serverAfter, err := cpuOf(redis.Pid())
	if err != nil {
		return err
	}
	to.rate = append(to.rate, float64(done)/took.Seconds())
	to.cpu = append(to.cpu, float64((after-before).Microseconds())/float64(done))
	to.busy = append(to.busy, (after-before).Seconds()/took.Seconds())
	to.server = append(to.server, (serverAfter-serverBefore).Seconds()/took.Seconds())
	return nil
}

// writeProfile takes a CPU profile during one more round.
func (p plan) writeProfile(bot *process, admin string) error {
	work := requests(bot.addr, int(p.round.Seconds()*mostRate))
	loaded := make(chan error, 1)
	go func() {
		_, _, err := closedLoop(bot.addr, p.connections, p.round, work)
		loaded <- err
	}()
	client := &http.Client{Timeout: p.round + time.Minute}
	resp, err := client.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, max(1, int(p.round.Seconds()))))
	if err != nil {
		<-loaded
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if lerr := <-loaded; err == nil {
		err = lerr
	}
	if err != nil {
		return err
	}
	return os.WriteFile(p.profile, data, 0o600)
}
