//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// killGroup puts a program into a process group of its own and makes the end of
// the context kill the whole group: what the program started dies with it.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
