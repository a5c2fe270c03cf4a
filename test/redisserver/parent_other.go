//go:build !linux

package redisserver

import "syscall"

// dieWithParent can do nothing here: a killed test leaves its servers behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
