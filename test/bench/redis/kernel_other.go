//go:build !linux

package main

import (
	"syscall"
	"time"
)

func pauseUntil(t time.Time) { time.Sleep(time.Until(t)) }

func dieWithParent() *syscall.SysProcAttr { return nil }
