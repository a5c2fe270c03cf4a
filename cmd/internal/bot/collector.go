package bot

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// lazyCollection lets the heap grow to six times what is in use before it is
	// collected: an idle program holds a few megabytes, and collecting them often was a
	// tenth of the cost of a webhook.
	lazyCollection = 500
	// roomy is what the heap and the stacks may take together before the collector becomes
	// eager, the program itself aside. Ten thousand turns in flight hold nearly as much, and
	// would otherwise keep a gigabyte of what is gone.
	roomy = 360 << 20
	// eagerCollection bounds how often the collector runs then.
	eagerCollection   = 10
	lookAtMemoryEvery = time.Second
)

// memoryInUse is what the program holds, in bytes.
type memoryInUse struct {
	heap    uint64 // what the newest collection left
	stacks  uint64 // memory of stacks
	scanned uint64 // what of the stacks is in use, which counts as work for the collector
}

// collectionPercent is the GOGC with which the heap grows up to what is left of the room.
func collectionPercent(m memoryInUse) int {
	taken, work := m.heap+m.stacks, m.heap+m.scanned
	switch {
	case work == 0:
		return lazyCollection
	case taken >= roomy:
		return eagerCollection
	}
	return int(min(max((roomy-taken)*100/work, eagerCollection), lazyCollection))
}

// tuneCollector follows what is in use until ctx ends. It returns nil.
func tuneCollector(ctx context.Context) error {
	tick := time.NewTicker(lookAtMemoryEvery)
	defer tick.Stop()
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	read := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0 // this version of Go does not tell
		}
		return samples[i].Value.Uint64()
	}
	set := 0
	for {
		metrics.Read(samples)
		if percent := collectionPercent(memoryInUse{heap: read(0), stacks: read(1), scanned: read(2)}); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
