package offline

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"

	"whatsappnode/adapters/program"
	"whatsappnode/ports"
)

// Config says where the engines are.
type Config struct {
	// LookPath finds a program by name, as exec.LookPath does. It is required.
	LookPath func(name string) (string, error)
	// ModelDir holds the speech model; DefaultModelDir when empty.
	ModelDir string
	// TempDir is where a voice's intermediate sound file lies for a moment, in a
	// directory of its own; the system's default when empty.
	TempDir string
	// Processes bounds how many processes an engine runs at once; the number of
	// CPUs when zero. Further calls wait.
	Processes int
}

// find looks a program up and insists on an absolute path, so that no later change
// of directory or PATH can put another program in its place.
func (c Config) find(name string) (string, error) {
	if c.LookPath == nil {
		return "", errors.New("no way to look programs up was given")
	}
	path, err := c.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// slots bounds how many calls run at once.
type slots chan struct{}

func (c Config) slots() slots {
	if c.Processes > 0 {
		return make(slots, c.Processes)
	}
	return make(slots, runtime.NumCPU())
}

// take waits for a slot or for the end of ctx.
func (s slots) take(ctx context.Context, op string) error {
	if err := ports.FromContext(ctx, op); err != nil {
		return err
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ports.FromContext(ctx, op)
	}
}

func (s slots) free() { <-s }

// run runs an engine: what is longer than it may be is not for this engine.
func run(ctx context.Context, op, path string, args []string, input []byte, limit int) ([]byte, error) {
	return program.Run(ctx, program.Call{Op: op, Path: path, Args: args, Input: input, Limit: limit, Over: ports.KindUnsupported})
}

// fail makes an error of a kind, unless ctx ended: then that is the reason.
func fail(ctx context.Context, op string, kind ports.Kind, err error) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	return &ports.Error{Op: op, Kind: kind, Err: err}
}
