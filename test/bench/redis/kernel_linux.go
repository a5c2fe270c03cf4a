package main

import (
	"syscall"
	"time"
)

// pauseUntil sleeps in the kernel: the runtime's timers are up to a millisecond late
// when nothing else wakes it, which is as much as is measured here.
func pauseUntil(t time.Time) {
	for d := time.Until(t); d > 0; d = time.Until(t) {
		ts := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&ts, nil) // a signal ends it early, and the loop goes on
	}
}

// dieWithParent makes the kernel end a measured process when the program is killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
