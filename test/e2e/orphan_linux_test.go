package e2e_test

import "syscall"

// noOrphan makes the kernel end the program with the test that started it, also
// when that panics or runs out of time and no cleanup is done.
func noOrphan() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
