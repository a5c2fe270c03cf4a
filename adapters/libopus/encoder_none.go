//go:build !libopus

package libopus

import (
	"context"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.EncoderPort = (*Encoder)(nil)

// Encoder cannot be made in this build.
type Encoder struct{}

// New fails with ErrNotBuilt.
func New(Config) (*Encoder, error) { return nil, ErrNotBuilt }

// Encode fails: there is no encoder.
func (*Encoder) Encode(ctx context.Context, _ domain.Audio) (domain.Audio, error) {
	if err := ports.FromContext(ctx, "libopus.encode"); err != nil {
		return domain.Audio{}, err
	}
	return domain.Audio{}, &ports.Error{Op: "libopus.encode", Kind: ports.KindUnsupported, Err: ErrNotBuilt}
}
