//go:build unix

package mcp

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a program into a process group of its own, so that what it starts can
// be ended with it, and a terminal's interrupt does not reach it before us.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
