package porttest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// HandoffHarness is what TestHandoff needs.
type HandoffHarness struct {
	// New makes a receiver, and a function that tells the requests it has taken so far.
	New func(t *testing.T) (ports.HandoffPort, func() []ports.Handoff)
	// Broken makes one that answers every request with a failure of this kind, which is
	// one of those a repeat may mend, or KindInvalid.
	Broken func(t *testing.T, kind ports.Kind) ports.HandoffPort
}

// TestHandoff checks what ports.HandoffPort promises.
func TestHandoff(t *testing.T, h HandoffHarness) {
	request := ports.Handoff{
		ID: "turn7", At: time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC), Number: "106", Conversation: "conv-1",
		Contact: domain.Contact{UserID: "ES.13491208655302741918", Phone: "34600111222"}, Language: "es", Unsaid: true,
	}
	t.Run("TellsEverything", func(t *testing.T) {
		port, got := h.New(t)
		named := request
		named.Contact.Name = "Ana"
		require.NoError(t, port.Request(t.Context(), named))
		require.Len(t, got(), 1)
		told := got()[0]
		told.Contact.Name = "" // a receiver may see it, none needs it
		require.Equal(t, request, told)
	})
	t.Run("RepeatIsTheSameRequest", func(t *testing.T) {
		port, got := h.New(t)
		for range 3 {
			require.NoError(t, port.Request(t.Context(), request))
		}
		for _, told := range got() {
			require.Equal(t, request, told)
		}
	})
	t.Run("FailureHasItsKind", func(t *testing.T) {
		for _, kind := range []ports.Kind{ports.KindTransient, ports.KindRateLimited, ports.KindDenied, ports.KindInvalid} {
			err := h.Broken(t, kind).Request(t.Context(), request)
			require.Equal(t, kind, ports.KindOf(err))
			require.False(t, ports.MaybeDone(err), "it may be repeated whatever became of it")
			for _, secret := range []string{"34600111222", "13491208655302741918"} {
				require.NotContains(t, err.Error(), secret)
			}
		}
	})
	t.Run("EndOfContextEndsIt", func(t *testing.T) {
		port, _ := h.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, ports.KindCanceled, ports.KindOf(port.Request(ctx, request)))
	})
	t.Run("ManyAtOnce", func(t *testing.T) {
		port, got := h.New(t)
		start := make(chan struct{})
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			wg.Go(func() {
				each := request
				each.ID = domain.TurnID(string(rune('a' + i)))
				<-start
				errs[i] = port.Request(t.Context(), each)
			})
		}
		close(start)
		wg.Wait()
		ids := map[domain.TurnID]bool{}
		for _, told := range got() {
			ids[told.ID] = true
		}
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Len(t, ids, len(errs))
	})
}
