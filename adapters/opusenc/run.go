package opusenc

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

// run starts a program, feeds it input, and returns what it wrote, at most limit
// bytes. Its error output is thrown away.
func run(ctx context.Context, path string, args []string, input []byte, limit int) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- the encoder that was looked up at the start
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"}
	cmd.Dir = "/"
	cmd.WaitDelay = waitDelay
	killGroup(cmd)
	cmd.Stdin = bytes.NewReader(input)
	out := &capped{limit: limit}
	cmd.Stdout = out
	name := filepath.Base(path)
	if err := cmd.Start(); err != nil {
		return nil, fail(ctx, ports.KindTransient, fmt.Errorf("start %s: %w", name, err))
	}
	err := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ports.FromContext(ctx, op)
	case out.over:
		return nil, fail(ctx, ports.KindUnknown, fmt.Errorf("%s wrote more than %d bytes", name, limit))
	case err != nil:
		return nil, fail(ctx, ports.KindUnknown, fmt.Errorf("%s: %w", name, err))
	}
	return out.buf.Bytes(), nil
}

// fail makes an error of a kind, unless ctx ended: then that is the reason.
func fail(ctx context.Context, kind ports.Kind, err error) error {
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
