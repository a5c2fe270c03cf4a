package opusenc

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/pcm"
	"whatsappnode/adapters/program"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.EncoderPort = (*Encoder)(nil)

const (
	op = "opusenc.encode"
	// binary and pkg are the program and the Debian package it comes in.
	binary = "opusenc"
	pkg    = "opus-tools"
	// maxOutput bounds what the program may write. The longest clip takes 2 MB.
	maxOutput = 8 << 20
)

// Config says where the program is.
type Config struct {
	// LookPath finds a program by name, as exec.LookPath does. It is required.
	LookPath func(name string) (string, error)
	// Processes bounds how many processes run at once; the number of CPUs when zero.
	// Further calls wait.
	Processes int
	// BitRate is what a note spends, in bits per second; pcm.BitRate when zero.
	BitRate int
}

// Encoder encodes with opusenc. The same clip always yields the same bytes.
type Encoder struct {
	path  string
	rate  int // kbit/s
	inner *pcm.Encoder
}

// New finds the program. Its error names the Debian package to install.
func New(cfg Config) (*Encoder, error) {
	if cfg.LookPath == nil {
		return nil, errors.New("opusenc: no way to look programs up was given")
	}
	path, err := cfg.LookPath(binary)
	if err == nil {
		// No later change of directory or PATH can put another program in its place.
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the Opus encoder opusenc is not installed; Debian: apt-get install %s", pkg)
	}
	e := &Encoder{path: path, rate: cfg.BitRate / 1000}
	if cfg.BitRate == 0 {
		e.rate = pcm.BitRate / 1000
	}
	if e.rate < pcm.MinBitRate/1000 || e.rate > pcm.MaxBitRate/1000 {
		return nil, fmt.Errorf("opusenc: a bit rate of %d is outside %d to %d", cfg.BitRate, pcm.MinBitRate, pcm.MaxBitRate)
	}
	e.inner = pcm.NewEncoder(op, cfg.Processes, e.encode)
	return e, nil
}

// Encode implements ports.EncoderPort. A program that cannot be started is
// KindTransient, one that fails KindUnknown. A call without a deadline ends after
// two minutes.
func (e *Encoder) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	return e.inner.Encode(ctx, clip)
}

// encode runs the program. Without --cvbr the bit rate is a wish that some voices
// exceed by four fifths.
func (e *Encoder) encode(ctx context.Context, sound pcm.Sound) ([]byte, error) {
	encoded, err := program.Run(ctx, program.Call{Op: op, Path: e.path, Args: []string{
		"--quiet", "--raw", "--raw-bits", "16", "--raw-endianness", "0", "--raw-chan", "1", "--raw-rate", strconv.Itoa(sound.Rate),
		"--speech", "--cvbr", "--bitrate", strconv.Itoa(e.rate), "-", "-",
	}, Input: wav.Bytes(make([]byte, 0, 2*len(sound.Samples)), sound.Samples), Limit: maxOutput, Over: ports.KindUnknown})
	if err != nil {
		return nil, err
	}
	// opusenc writes a new serial number each time, its version and its options.
	data, _, err := oggopus.Rewrite(encoded)
	if err != nil {
		return nil, &ports.Error{Op: op, Kind: ports.KindUnknown, Err: err}
	}
	return data, nil
}
