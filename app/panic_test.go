package app_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestEarsThatPanicEndInTheFallback, and not in the end of the process.
func TestEarsThatPanicEndInTheFallback(t *testing.T) {
	bubble(t, func(r *rig) {
		r.ears.detect = func(words string) domain.Transcript { panic(words) }
	}, func(r *rig) {
		r.speaks("m1", "ana", "marker")
		r.pass(time.Minute)
		sent := r.phone.calls()
		require.Len(t, sent, 1)
		require.Equal(t, app.DefaultFallback, sent[0].words)
		ev := r.events.first(ports.StageFallback)
		var panicked *ports.PanicError
		require.True(t, errors.As(ev.Err, &panicked), "%v", ev.Err)
		require.Equal(t, "string", panicked.Type)
		require.NotContains(t, ev.Err.Error(), "marker")
	})
}
