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
	// roomy is what may be taken before the collector becomes eager. Ten thousand turns
	// in flight would otherwise keep a gigabyte of what is gone.
	roomy = 384 << 20
	// eagerCollection bounds how often the collector runs then.
	eagerCollection = 20
	lookAtHeapEvery = time.Second
)

// collectionPercent is GOGC for a program that uses so many bytes, stacks included,
// which count for the collector too.
func collectionPercent(used uint64) int {
	switch {
	case used == 0:
		return lazyCollection
	case used >= roomy:
		return eagerCollection
	}
	return int(min(max((roomy-used)*100/used, eagerCollection), lazyCollection))
}

// tuneCollector follows what is in use until ctx ends. It returns nil.
func tuneCollector(ctx context.Context) error {
	tick := time.NewTicker(lookAtHeapEvery)
	defer tick.Stop()
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	set := 0
	for {
		metrics.Read(samples)
		used := uint64(0)
		for _, s := range samples {
			if s.Value.Kind() == metrics.KindUint64 {
				used += s.Value.Uint64()
			}
		}
		if percent := collectionPercent(used); percent != set {
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
