package porttest

import (
	"runtime"
	"testing"
	"time"
)

// settleGoroutines waits until the number of goroutines is at most limit and
// reports whether it came to that. Comparing the count once would blame a
// goroutine that is just about to end, so the count is given time to settle.
func settleGoroutines(limit int) bool {
	for range 200 {
		if runtime.NumGoroutine() <= limit {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// checkLeak runs fn eight times and fails t when goroutines stay behind. Once is
// not enough: a leak of one goroutine can hide behind one that ends meanwhile.
func checkLeak(t *testing.T, fn func()) {
	t.Helper()
	fn() // first use may start what stays for good, such as a connection pool
	before := runtime.NumGoroutine()
	for range 8 {
		fn()
	}
	if !settleGoroutines(before + 2) {
		buf := make([]byte, 64<<10)
		t.Errorf("goroutines stay behind: %d before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
	}
}
