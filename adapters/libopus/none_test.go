//go:build !libopus

package libopus_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/libopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestBuildWithoutTheLibrarySaysSo(t *testing.T) {
	e, err := libopus.New(libopus.Config{})
	assert.ErrorIs(t, err, libopus.ErrNotBuilt)
	assert.ErrorContains(t, err, "build tag libopus")
	assert.Nil(t, e)

	_, err = (&libopus.Encoder{}).Encode(t.Context(), domain.Audio{})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = (&libopus.Encoder{}).Encode(ctx, domain.Audio{})
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
}
