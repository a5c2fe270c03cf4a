//go:build !linux

package stage

import "time"

func pause(d time.Duration) { time.Sleep(d) }
