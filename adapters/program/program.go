// Package program runs a program of the machine for one call: bounded in time and output,
// with no environment of ours, and dead together with whatever it started.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"whatsappnode/ports"
)

// waitDelay is how long the pipes of a killed program may stay open.
const waitDelay = 2 * time.Second

// Call is one run. All but Args and Input is required.
type Call struct {
	Op string // in errors
	// Path is absolute, as it was looked up at the start, so that no later change of
	// directory or PATH puts another program in its place.
	Path  string
	Args  []string
	Input []byte
	// Limit is how many bytes it may write, and Over the kind of error when it writes more.
	Limit int
	Over  ports.Kind
}

// Run starts the program, feeds it the input and returns what it wrote. Its error output
// is thrown away: it may hold the user's words. It blocks until the program has ended; the
// end of ctx kills it.
func Run(ctx context.Context, c Call) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) // #nosec G204 -- a program that was looked up at the start, with arguments of an adapter
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"}
	cmd.Dir = "/"
	cmd.WaitDelay = waitDelay
	killGroup(cmd)
	cmd.Stdin = bytes.NewReader(c.Input)
	out := &capped{limit: c.Limit}
	cmd.Stdout = out
	name := filepath.Base(c.Path)
	fail := func(kind ports.Kind, err error) error {
		if ended := ports.FromContext(ctx, c.Op); ended != nil {
			return ended // that is the reason then
		}
		return &ports.Error{Op: c.Op, Kind: kind, Err: err}
	}
	if err := cmd.Start(); err != nil {
		return nil, fail(ports.KindTransient, fmt.Errorf("start %s: %w", name, err))
	}
	err := cmd.Wait()
	switch {
	case out.over:
		return nil, fail(c.Over, fmt.Errorf("%s wrote more than %d bytes", name, c.Limit))
	case err != nil || ctx.Err() != nil:
		return nil, fail(ports.KindUnknown, fmt.Errorf("%s: %w", name, err))
	}
	return out.buf.Bytes(), nil
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
