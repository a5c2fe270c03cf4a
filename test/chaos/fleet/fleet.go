package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// fleet is everything that runs: Redis behind a network that can be cut, the bots,
// and Meta in front of a balancer.
type fleet struct {
	plan    plan
	dir     string
	world   *rig.World
	redis   *redisserver.Server  // the master
	replica *redisserver.Server  // nil without -replica
	network *rig.Balancer        // from the bots to Redis
	cluster *redisserver.Cluster // with -cluster, in place of the three above
	front   *rig.Balancer        // from Meta to the serving bots
	bots    []*rig.Process
	broke   map[string]int
	unclean bool // the logs are kept
}

func newFleet(ctx context.Context, p plan) (f *fleet, err error) {
	f = &fleet{plan: p, broke: map[string]int{}}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.dir, err = os.MkdirTemp("", "fleet-"); err != nil {
		return f, err
	}
	faults := simulator.DefaultFaults()
	faults.DuplicatePercent, faults.ReorderPercent, faults.StatusReorder = 10, 5, true
	faults.GraphDelayMS = 40 // as far away as Meta is, so that a kill finds sends under way
	if f.world, err = rig.NewWorld(ctx, f.dir, p.seed, faults); err != nil {
		return f, err
	}
	f.world.Tolerant = p.hangEvery > 0
	if err = f.startRedis(); err != nil {
		return f, err
	}
	ack := "REDIS_ACK=fsync"
	if p.replica {
		ack = "REDIS_ACK=replicas:1" // what was acknowledged must survive a failover
	}
	var doors []string
	for i := range p.serves + p.workers {
		role, name := "serve", fmt.Sprintf("serve%d", i)
		if i >= p.serves {
			role, name = "worker", fmt.Sprintf("worker%d", i-p.serves)
		}
		bot, err := rig.NewProcess(p.binary, role, f.dir, name, f.world.Addr,
			"STORE=redis", "REDIS_URL="+f.redisURL(), ack, "REPLY_MODE=text", "NUMBER_RATE=1000", "FAKE_KNOBS="+p.knobs(), "TURN_TIMEOUT=3s",
			"SETTLE_WAIT="+p.settle.String(), "LEASE_TIME="+p.lease.String())
		if err != nil {
			return f, err
		}
		f.bots = append(f.bots, bot)
		if role == "serve" {
			doors = append(doors, bot.Addr)
		}
		if err := bot.Start(ctx); err != nil {
			return f, err
		}
	}
	if f.front, err = rig.NewBalancer(doors...); err != nil {
		return f, err
	}
	return f, f.world.Sim.SetWebhookURL("http://" + f.front.Addr + "/webhook")
}

// heal brings everything back that a fault left broken.
func (f *fleet) heal(ctx context.Context) error {
	faults := f.world.Sim.Faults()
	faults.ErrorPercent, faults.DropAnswerPercent = 0, 0
	if err := f.world.Sim.SetFaults(faults); err != nil {
		return err
	}
	var all []error
	switch {
	case f.cluster != nil:
		for _, n := range f.cluster.Masters {
			if n.Pid() == 0 {
				all = append(all, n.Restart())
			}
		}
	default:
		f.network.Mend()
		if f.redis.Pid() == 0 {
			f.restartMaster()
		}
		if f.replica != nil {
			f.follow(ctx)
		}
	}
	for _, b := range f.bots {
		b.Thaw()
		if !b.Running() {
			all = append(all, b.Start(ctx))
		}
	}
	return errors.Join(all...)
}

func (f *fleet) stop() {
	for _, b := range f.bots {
		b.Thaw()
		b.Stop()
	}
}

func (f *fleet) close() {
	for _, b := range f.bots {
		b.Thaw()
		b.Kill()
	}
	if f.front != nil {
		f.front.Close()
	}
	if f.network != nil {
		f.network.Close()
	}
	for _, r := range f.servers() {
		r.Stop()
	}
	if f.world != nil {
		f.world.Close()
	}
	switch {
	case f.dir == "":
	case f.unclean:
		fmt.Println("the logs are in", f.dir)
	default:
		_ = os.RemoveAll(f.dir)
	}
}

// report lists what was broken, and how often.
func (f *fleet) report(w io.Writer) {
	fmt.Fprint(w, "broken:")
	for _, name := range slices.Sorted(maps.Keys(f.broke)) {
		fmt.Fprintf(w, " %s %d;", name, f.broke[name])
	}
	fmt.Fprintln(w)
}
