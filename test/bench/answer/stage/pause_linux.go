package stage

import (
	"syscall"
	"time"
)

// pause sleeps in the kernel, which is right to some tens of microseconds.
func pause(d time.Duration) {
	if d <= 0 {
		return
	}
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // a signal ends it early, and the caller looks again
}
