package bot

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.uber.org/zap"
)

const (
	// lazyCollection lets the heap grow to six times what is in use before it is
	// collected: an idle program holds a few megabytes, and collecting them often was a
	// tenth of the cost of a webhook.
	lazyCollection = 500
	// eagerCollection bounds how often the collector runs then.
	eagerCollection   = 10
	lookAtMemoryEvery = time.Second

	// leastRoom and mostRoom bound what is taken of a machine without limits, of which a
	// quarter is taken: others live there, too.
	leastRoom = 256 << 20
	mostRoom  = 1 << 30
)

// limitMemory tells the Go runtime of the container's memory limit, of which it may have
// nine tenths; GOMEMLIMIT wins. A process that is killed for its memory takes a thousand
// turns with it.
func limitMemory(log *zap.Logger) {
	_, err := memlimit.Set(memlimit.WithRatio(0.9))
	if err != nil && !errors.Is(err, memlimit.ErrNoCgroup) && !errors.Is(err, memlimit.ErrCgroupsNotSupported) { // a laptop is no container
		log.Warn("the container's memory limit could not be read; set GOMEMLIMIT", zap.Error(err))
	}
}

// memoryRoom is what the heap and the stacks may take together before the collector
// becomes eager, in bytes. Of a limit a quarter is left: for the runtime's own records, the
// program, the store's memory, and what comes until the next look.
func memoryRoom(limit int64, machine uint64) uint64 {
	if limit < math.MaxInt64 {
		return uint64(max(limit, 0)) / 4 * 3
	}
	return min(max(machine/4, leastRoom), mostRoom)
}

// memoryInUse is what the program holds, in bytes.
type memoryInUse struct {
	heap    uint64 // what the newest collection left
	stacks  uint64 // memory of stacks
	scanned uint64 // what of the stacks is in use, which counts as work for the collector
}

// collectionPercent is the GOGC with which the heap grows up to what is left of the room.
func collectionPercent(m memoryInUse, room uint64) int {
	taken, work := m.heap+m.stacks, m.heap+m.scanned
	switch {
	case work == 0:
		return lazyCollection
	case taken >= room:
		return eagerCollection
	}
	return int(min(max((room-taken)*100/work, eagerCollection), lazyCollection))
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
	machine, err := memlimit.FromSystem()
	if err != nil {
		machine = 0 // the least room
	}
	room := memoryRoom(debug.SetMemoryLimit(-1), machine)
	set := 0
	for {
		metrics.Read(samples)
		if percent := collectionPercent(memoryInUse{heap: read(0), stacks: read(1), scanned: read(2)}, room); percent != set {
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
