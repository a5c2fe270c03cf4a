package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// usage is what a server has counted, all since its start.
type usage struct {
	calls    map[string]int // by command, those inside scripts too
	commands int            // of calls, all
	in, out  int            // bytes over the network
	scripts  int            // EVALSHA and EVAL
}

func usageOf(redis *redisserver.Server) (usage, error) {
	u := usage{calls: map[string]int{}}
	for _, section := range []string{"commandstats", "stats"} {
		text, err := redis.CLI("INFO", section)
		if err != nil {
			return u, err
		}
		for line := range strings.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			if name, ok := strings.CutPrefix(key, "cmdstat_"); ok {
				count, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
				if u.calls[name], err = strconv.Atoi(count); err != nil {
					return u, err
				}
				continue
			}
			switch key {
			case "total_net_input_bytes":
				u.in, err = strconv.Atoi(value)
			case "total_net_output_bytes":
				u.out, err = strconv.Atoi(value)
			}
			if err != nil {
				return u, err
			}
		}
	}
	return u, nil
}

// since is what was counted after an earlier look, without the looking.
func (u usage) since(before usage) usage {
	d := usage{calls: map[string]int{}, in: u.in - before.in, out: u.out - before.out}
	for name, n := range u.calls {
		if n -= before.calls[name]; n > 0 && name != "info" {
			d.calls[name] = n
			d.commands += n
		}
	}
	d.scripts = d.calls["evalsha"] + d.calls["eval"]
	return d
}

func (u usage) print(what string, messages int) {
	n := float64(messages)
	fmt.Printf("  %-34s %5.2f scripts, %5.1f commands within them and beside, %6.0f bytes in, %6.0f out\n",
		what, float64(u.scripts)/n, float64(u.commands-u.scripts)/n, float64(u.in)/n, float64(u.out)/n)
	names := slices.SortedFunc(maps.Keys(u.calls), func(a, b string) int { return u.calls[b] - u.calls[a] })
	var parts []string
	for _, name := range names[:min(len(names), 12)] {
		parts = append(parts, fmt.Sprintf("%s %.2f", name, float64(u.calls[name])/n))
	}
	fmt.Printf("  %-34s %s\n", "", strings.Join(parts, ", "))
}

// cost counts what a message costs Redis: its acknowledgement alone, then the whole
// turn with the answer and the statuses of the answer.
func (p plan) cost(ctx context.Context, redis *redisserver.Server) error {
	fmt.Printf("\nRedis commands and bytes a message, of %d messages\n", p.messages)
	bot, err := p.startServe(ctx, redis.URL(), "everysec", "off")
	if err != nil {
		return err
	}
	defer bot.stop()
	if _, _, err := closedLoop(bot.addr, 8, time.Minute, requests(bot.addr, people)); err != nil {
		return err
	}
	before, err := usageOf(redis)
	if err != nil {
		return err
	}
	if _, _, err := closedLoop(bot.addr, 8, time.Minute, requests(bot.addr, p.messages)); err != nil {
		return err
	}
	after, err := usageOf(redis)
	if err != nil {
		return err
	}
	after.since(before).print("acknowledged", p.messages)
	return p.withRedis("everysec", func(redis *redisserver.Server) error { return p.turns(ctx, redis) })
}

// idleTime is how long a fleet without work is watched.
const idleTime = 4 * time.Second

// turns runs serve and worker with the simulator as Meta: everybody writes once to
// become known, and once more to be counted.
func (p plan) turns(ctx context.Context, redis *redisserver.Server) error {
	world, err := rig.NewWorld(ctx, p.dir, 1, simulator.DefaultFaults())
	if err != nil {
		return err
	}
	defer world.Close()
	var bots []*rig.Process
	for _, role := range []string{"serve", "worker"} {
		bot, err := rig.NewProcess(p.binary, role, p.dir, role, world.Addr, "REDIS_URL="+redis.URL(), "REPLY_MODE=text",
			"NUMBER_RATE=100000", "RECIPIENT_BURST=100000", "LOG_LEVEL=warn")
		if err != nil {
			return err
		}
		defer bot.Stop()
		if err := bot.Start(ctx); err != nil {
			return err
		}
		bots = append(bots, bot)
	}
	if err := world.Sim.SetWebhookURL("http://" + bots[0].Addr + "/webhook"); err != nil {
		return err
	}
	users, err := world.Invite(p.messages)
	if err != nil {
		return err
	}
	if err := everybody(ctx, world, users); err != nil {
		return err
	}
	before, err := usageOf(redis)
	if err != nil {
		return err
	}
	start := world.Sim.Counts()
	if err := everybody(ctx, world, users); err != nil {
		return err
	}
	after, err := usageOf(redis)
	if err != nil {
		return err
	}
	end := world.Sim.Counts()
	after.since(before).print("whole turn (serve and worker)", len(users))
	fmt.Printf("  %-34s %d messages, %d answers, %d webhooks (statuses in batches)\n", "",
		end.Inbound-start.Inbound, end.Accepted-start.Accepted, end.WebhookOK-start.WebhookOK)

	if err := rig.Sleep(ctx, time.Second); err != nil {
		return err
	}
	if before, err = usageOf(redis); err != nil {
		return err
	}
	if err := rig.Sleep(ctx, idleTime); err != nil {
		return err
	}
	if after, err = usageOf(redis); err != nil {
		return err
	}
	after.since(before).print("a second without work", int(idleTime.Seconds()))
	return nil
}

// everybody sends one message each, a few at a time, and waits for the answers and
// the statuses of the answers.
func everybody(ctx context.Context, world *rig.World, users []string) error {
	want := world.Sim.Counts().Accepted + len(users)
	for i, u := range users {
		if _, err := world.Sim.SendText(u, "How late are you open today?"); err != nil {
			return err
		}
		if i%20 == 19 {
			if err := rig.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	for range 300 {
		if c := world.Sim.Counts(); c.Accepted >= want && c.Pending == 0 {
			return rig.Sleep(ctx, 500*time.Millisecond)
		}
		if err := rig.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the answers did not come")
}
