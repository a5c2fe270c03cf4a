package main

import (
	"context"
	"math/rand/v2"
	"time"

	"whatsappnode/test/chaos/rig"
)

// fault breaks one thing and mends it again before it returns. The wait inside is
// cut short when ctx ends; heal sees to the rest.
type fault struct {
	name   string
	weight int
	do     func(ctx context.Context, f *fleet, rng *rand.Rand)
	// on says which servers the fault is for; nil for all.
	on func(f *fleet) bool
}

func (f *fleet) replicated() bool { return f.replica != nil }
func (f *fleet) clustered() bool  { return f.cluster != nil }
func (f *fleet) single() bool     { return f.cluster == nil }

// faults are what can go wrong, the likelier ones with more weight.
var faults = []fault{
	{name: "fail over Redis", weight: 3, on: (*fleet).replicated, do: func(ctx context.Context, f *fleet, rng *rand.Rand) { f.failOver(ctx, rng) }},
	{name: "lose a slot owner", weight: 4, on: (*fleet).clustered, do: func(ctx context.Context, f *fleet, rng *rand.Rand) { f.loseSlots(ctx, rng) }},
	{name: killProcess, weight: 16, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		bot := f.any(rng)
		bot.Kill()
		pause(ctx, rng, 0, 500*time.Millisecond)
		_ = bot.Start(ctx) // heal tries again when the run is over
	}},
	{name: "freeze a process", weight: 3, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		bot := f.any(rng)
		bot.Freeze()
		pause(ctx, rng, 500*time.Millisecond, 2*f.plan.lease) // sometimes longer than its leases
		bot.Thaw()
	}},
	{name: "kill Redis", weight: 2, on: (*fleet).single, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		f.redis.Kill9()
		pause(ctx, rng, 0, time.Second)
		f.restartMaster()
		if f.replica != nil {
			f.awaitReplica(ctx)
		}
	}},
	{name: "cut the network to Redis", weight: 2, on: (*fleet).single, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		f.network.Cut()
		pause(ctx, rng, 300*time.Millisecond, 4*time.Second)
		f.network.Mend()
	}},
	{name: "reset connections to Redis", weight: 2, on: (*fleet).single, do: func(_ context.Context, f *fleet, _ *rand.Rand) { f.network.Reset() }},
	{name: "fail Graph calls", weight: 3, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		trouble := []struct{ code, status int }{{131000, 500}, {130429, 429}, {131056, 400}, {2, 503}}[rng.IntN(4)]
		s := f.world.Sim.Faults()
		s.ErrorPercent, s.ErrorCode, s.ErrorHTTPStatus = 20+rng.IntN(60), trouble.code, trouble.status
		_ = f.world.Sim.SetFaults(s)
		pause(ctx, rng, 300*time.Millisecond, 3*time.Second)
		s.ErrorPercent = 0
		_ = f.world.Sim.SetFaults(s)
	}},
	{name: "cut Graph answers off", weight: 3, do: func(ctx context.Context, f *fleet, rng *rand.Rand) {
		s := f.world.Sim.Faults()
		s.DropAnswerPercent = 5 + rng.IntN(30)
		_ = f.world.Sim.SetFaults(s)
		pause(ctx, rng, 300*time.Millisecond, 3*time.Second)
		s.DropAnswerPercent = 0
		_ = f.world.Sim.SetFaults(s)
	}},
}

const killProcess = "kill a process"

func (f *fleet) any(rng *rand.Rand) *rig.Process { return f.bots[rng.IntN(len(f.bots))] }

func pause(ctx context.Context, rng *rand.Rand, from, to time.Duration) {
	_ = rig.Sleep(ctx, from+time.Duration(rng.Int64N(int64(to-from))))
}

// breakThings does one fault after the other, with short rests, until ctx ends.
func (f *fleet) breakThings(ctx context.Context, rng *rand.Rand) {
	total := 0
	var possible []fault
	for _, each := range faults {
		if (each.on == nil || each.on(f)) && (!f.plan.killsOnly || each.name == killProcess) {
			possible = append(possible, each)
			total += each.weight
		}
	}
	for ctx.Err() == nil {
		pause(ctx, rng, f.plan.restLeast, f.plan.restMost)
		n := rng.IntN(total)
		for _, each := range possible {
			if n -= each.weight; n < 0 {
				f.broke[each.name]++
				each.do(ctx, f, rng)
				break
			}
		}
	}
}
