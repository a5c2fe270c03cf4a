//go:build !linux

package main

import "syscall"

func inMemory(string) bool { return false }

func dieWithParent() *syscall.SysProcAttr { return nil }
