//go:build !unix

package program

import "os/exec"

// killGroup leaves the default: the end of the context kills the program alone.
func killGroup(*exec.Cmd) {}
