package offline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

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

// waitDelay is how long the pipes of a killed engine may stay open.
const waitDelay = 2 * time.Second

// run starts a program, feeds it input, and returns what it wrote, at most limit
// bytes. Its error output is thrown away: it may hold the user's words.
func run(ctx context.Context, op, path string, args []string, input []byte, limit int) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- a program that was looked up at the start, with arguments of this package
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"}
	cmd.Dir = "/"
	cmd.WaitDelay = waitDelay
	killGroup(cmd)
	cmd.Stdin = bytes.NewReader(input)
	out := &capped{limit: limit}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return nil, fail(ctx, op, ports.KindTransient, fmt.Errorf("start %s: %w", filepath.Base(path), err))
	}
	err := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ports.FromContext(ctx, op)
	case out.over:
		return nil, fail(ctx, op, ports.KindUnsupported, fmt.Errorf("%s wrote more than %d bytes", filepath.Base(path), limit))
	case err != nil:
		return nil, fail(ctx, op, ports.KindUnknown, fmt.Errorf("%s: %w", filepath.Base(path), err))
	}
	return out.buf.Bytes(), nil
}

// fail makes an error of a kind, unless ctx ended: then that is the reason.
func fail(ctx context.Context, op string, kind ports.Kind, err error) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	return &ports.Error{Op: op, Kind: kind, Err: err}
}

// capped collects output up to a limit; beyond it the writer gets an error, which
// closes the pipe and ends the program. The buffer is not embedded: its ReadFrom
// would be used instead of Write and know no limit.
type capped struct {
	buf   bytes.Buffer
	limit int
	over  bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.buf.Len()+len(p) > c.limit {
		c.over = true
		return 0, errors.New("too much output")
	}
	return c.buf.Write(p)
}
