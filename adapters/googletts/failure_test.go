package googletts_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"whatsappnode/adapters/googletts"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

// refused makes a call that must fail, and looks at what every error keeps to.
func refused(t *testing.T, ctx context.Context, v *googletts.TTS) *ports.Error {
	t.Helper()
	clip, err := v.Synthesize(ctx, secret, ports.TTSOptions{})
	require.True(t, clip.Empty())
	var out *ports.Error
	require.ErrorAs(t, err, &out)
	assert.Equal(t, "googletts.tts", out.Op)
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, err.Error(), "127.0.0.1")
	assert.False(t, out.MaybeDone)
	return out
}

// TestEveryStatusHasItsKind: each is asked for once.
func TestEveryStatusHasItsKind(t *testing.T) {
	const quiet = ports.ScopeCall
	for _, tt := range []struct {
		name     string
		code     codes.Code
		sentence string
		reason   string
		wait     time.Duration
		kind     ports.Kind
		want     string // code in the error
		scope    ports.Scope
	}{
		{"cancelled by the service", codes.Canceled, secret, "", 0, ports.KindTransient, "Canceled", quiet},
		{"unknown", codes.Unknown, secret, "", 0, ports.KindUnknown, "Unknown", quiet},
		{"wrong request", codes.InvalidArgument, "Request contains an invalid argument. " + secret, "", 0, ports.KindInvalid, "InvalidArgument", quiet},
		{"too long", codes.InvalidArgument, "Either `input.text` or `input.ssml` is longer than the limit of 5000 bytes.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"long sentence", codes.InvalidArgument, "This request contains sentences that are too long.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"voice", codes.InvalidArgument, "Voice 'xx' does not exist. Is it misspelled?", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"content", codes.InvalidArgument, "Sorry, the text violates the usage guidelines. " + secret, "", 0, ports.KindBlocked, "InvalidArgument", quiet},
		{"wrong API key", codes.InvalidArgument, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID", 0, ports.KindDenied, "API_KEY_INVALID", ports.ScopeAccount},
		{"deadline", codes.DeadlineExceeded, secret, "", 0, ports.KindTimeout, "DeadlineExceeded", quiet},
		{"not found", codes.NotFound, secret, "", 0, ports.KindInvalid, "NotFound", quiet},
		{"exists", codes.AlreadyExists, secret, "", 0, ports.KindInvalid, "AlreadyExists", quiet},
		{"not permitted", codes.PermissionDenied, secret, "BILLING_DISABLED", 0, ports.KindDenied, "BILLING_DISABLED", ports.ScopeAccount},
		{"reason that is none", codes.PermissionDenied, secret, secret, 0, ports.KindDenied, "PermissionDenied", ports.ScopeAccount},
		{"quota", codes.ResourceExhausted, secret, "RATE_LIMIT_EXCEEDED", 17 * time.Second, ports.KindRateLimited, "RATE_LIMIT_EXCEEDED", ports.ScopeAccount},
		{"quota for ever", codes.ResourceExhausted, secret, "", 1000 * time.Hour, ports.KindRateLimited, "ResourceExhausted", ports.ScopeAccount},
		{"precondition", codes.FailedPrecondition, secret, "", 0, ports.KindInvalid, "FailedPrecondition", quiet},
		{"aborted", codes.Aborted, secret, "", 0, ports.KindTransient, "Aborted", quiet},
		{"out of range", codes.OutOfRange, secret, "", 0, ports.KindInvalid, "OutOfRange", quiet},
		{"no such method", codes.Unimplemented, secret, "", 0, ports.KindUnsupported, "Unimplemented", quiet},
		{"internal", codes.Internal, secret, "", 0, ports.KindTransient, "Internal", quiet},
		{"unavailable", codes.Unavailable, secret, "", 3 * time.Second, ports.KindTransient, "Unavailable", quiet},
		{"data loss", codes.DataLoss, secret, "", 0, ports.KindUnknown, "DataLoss", quiet},
		{"no credentials", codes.Unauthenticated, secret, "", 0, ports.KindDenied, "Unauthenticated", ports.ScopeAccount},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := googlefake.Start(t)
			s.BreakVoice(googlefake.Faults{Status: googlefake.Refusal(tt.code, tt.sentence, tt.reason, tt.wait)})
			err := refused(t, t.Context(), voice(t, s, googletts.Config{}))
			assert.Len(t, s.Speakings(), 1, "it was asked again")
			assert.Equal(t, tt.kind, err.Kind)
			assert.Equal(t, tt.want, err.Code)
			assert.Equal(t, tt.scope, err.Scope)
			assert.Equal(t, min(tt.wait, 24*time.Hour), err.RetryAfter)
			assert.NotContains(t, err.Error(), tt.sentence)
			// Their clock may run ahead of ours, and the caller looks for its own deadline.
			assert.Equal(t, tt.kind == ports.KindTimeout, errors.Is(err, context.DeadlineExceeded))
		})
	}
}

func TestDroppedConnection(t *testing.T) {
	s := googlefake.Start(t)
	s.BreakVoice(googlefake.Faults{Calls: 1, Drop: true})
	v := voice(t, s, googletts.Config{})
	assert.Equal(t, ports.KindTransient, refused(t, t.Context(), v).Kind)
	_, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	require.NoError(t, err, "the next call connects again")
}

func TestDeadServiceAndItsReturn(t *testing.T) {
	s, err := googlefake.Launch()
	require.NoError(t, err)
	v := voice(t, s, googletts.Config{})
	s.Stop()
	require.Eventually(t, func() bool { // the first may still break the connection there was
		got := refused(t, t.Context(), v)
		return assert.Equal(t, ports.KindTransient, got.Kind) && strings.Contains(got.Error(), "no connection")
	}, 20*time.Second, 10*time.Millisecond)

	s, err = googlefake.LaunchOn(s.Addr())
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	require.Eventually(t, func() bool {
		_, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{})
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
}

func TestSlowService(t *testing.T) {
	s := googlefake.Start(t)
	v := voice(t, s, googletts.Config{})
	s.BreakVoice(googlefake.Faults{Delay: 20 * time.Millisecond})
	_, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	require.NoError(t, err)

	s.BreakVoice(googlefake.Faults{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	got := refused(t, ctx, v)
	assert.Equal(t, ports.KindTimeout, got.Kind)
	assert.ErrorIs(t, got, context.DeadlineExceeded)
	assert.InDelta(t, time.Minute, googletts.OwnDeadline(), float64(10*time.Second), "a call without a deadline has one all the same")
}
