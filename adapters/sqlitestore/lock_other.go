//go:build !unix

package sqlitestore

import (
	"errors"
	"os"
)

var errLocked = errors.New("another process has it open")

func lockFile(string) (*os.File, error) {
	return nil, errors.New("the embedded store needs a file lock that this operating system lacks; use the Redis store")
}

func syncDir(string) error { return nil }
