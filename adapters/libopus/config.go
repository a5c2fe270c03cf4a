package libopus

import "errors"

// ErrNotBuilt says that this binary was built without libopus.
var ErrNotBuilt = errors.New("this binary was built without libopus (build tag libopus)")

// Config bounds the encoder.
type Config struct {
	// Parallel bounds how many clips are encoded at once; the number of CPUs when
	// zero. Further calls wait.
	Parallel int
	// BitRate is what a note spends, in bits per second; pcm.BitRate when zero.
	BitRate int
}
