package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	encodeTimeout   = 30 * time.Second
	maxEncodedVoice = 16 << 20
)

var (
	errNoEncoder = errors.New("this sound is not Ogg/Opus, and opusenc, which would encode it, is not installed (Debian package opus-tools)")
	errNoSound   = errors.New("this file is not Ogg/Opus, and opusenc can make a voice note only from WAV, AIFF or FLAC")
)

// encodeVoice makes a mono Ogg/Opus voice note, as a phone would have recorded, from other sound. Ogg/Opus is returned
// as it is.
func (s *Simulator) encodeVoice(ctx context.Context, data []byte) ([]byte, error) {
	if _, err := parseOgg(data); err == nil {
		return data, nil
	}
	if !encodable(data) {
		return nil, errNoSound
	}
	path, err := exec.LookPath("opusenc")
	if err != nil {
		return nil, errNoEncoder
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, errNoEncoder
	}
	data, err = cleanWAV(data)
	if err != nil {
		return nil, err
	}
	select {
	case s.encoding <- struct{}{}:
		defer func() { <-s.encoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, encodeTimeout)
	defer cancel()
	out := &capped{max: maxEncodedVoice}
	cmd := exec.CommandContext(ctx, path, "--quiet", "--downmix-mono", "--speech", "--bitrate", "24", "--discard-comments", "-", "-")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), out, io.Discard
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: opusenc could not read it", errNoSound)
	}
	if _, err := parseOgg(out.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: it holds no sound", errNoSound)
	}
	return out.Bytes(), nil
}

// encodable looks at the magic bytes of what opusenc reads.
func encodable(data []byte) bool {
	return isWAV(data) || bytes.HasPrefix(data, []byte("FORM")) || bytes.HasPrefix(data, []byte("fLaC"))
}

// capped is a buffer that refuses to grow beyond max.
type capped struct {
	bytes.Buffer
	max int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > c.max {
		return 0, errors.New("the output is too large")
	}
	return c.Buffer.Write(p)
}

// ReadFrom hides the buffer's own, which knows no limit.
func (c *capped) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}
