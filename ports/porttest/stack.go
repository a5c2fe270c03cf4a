package porttest

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
)

// SkipRace skips a test that measures stacks: frames are larger with the race detector.
func SkipRace(t *testing.T) {
	t.Helper()
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("frames are larger with the race detector")
	}
}

// StackEach is how much of their stacks n goroutines have in use each, in bytes, that begin
// to wait in begin.
func StackEach(n uint64, begin func()) uint64 {
	before := scannedStacks()
	begin()
	return (scannedStacks() - before) / n
}

// scannedStacks is what the collector finds in use of all stacks.
func scannedStacks() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/scan/stack:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
