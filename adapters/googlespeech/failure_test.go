package googlespeech_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

// refused makes a call that must fail, and looks at what every error keeps to.
func refused(t *testing.T, ctx context.Context, e *googlespeech.STT, clip domain.Audio) *ports.Error {
	t.Helper()
	tr, err := e.Transcribe(ctx, clip, ports.STTOptions{Hint: secret})
	require.Zero(t, tr)
	var out *ports.Error
	require.ErrorAs(t, err, &out)
	assert.Equal(t, "googlespeech.stt", out.Op)
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, err.Error(), "127.0.0.1")
	assert.False(t, out.MaybeDone)
	return out
}

// TestEveryStatusHasItsKind: each is asked for once, in a request and in a stream.
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
		{"too long, version 1", codes.InvalidArgument, "Sync input too long. For audio longer than 1 min use LongRunningRecognize with a 'uri' parameter.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"too long, version 2", codes.InvalidArgument, "Audio can be of a maximum of 60 seconds.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"too large", codes.InvalidArgument, "Request payload size exceeds the limit: 10485760 bytes.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"too long for a stream", codes.OutOfRange, "Exceeded maximum allowed stream duration of 305 seconds.", "", 0, ports.KindUnsupported, "OutOfRange", quiet},
		{"format", codes.InvalidArgument, "Audio data does not appear to be in a supported encoding.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"language, version 2", codes.InvalidArgument, `The language "xx-XX" is not supported by the model "chirp_3" in the location named "us".`, "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"language, version 1", codes.InvalidArgument, "Invalid recognition 'config': bad language code.", "", 0, ports.KindUnsupported, "InvalidArgument", quiet},
		{"sent too slowly", codes.OutOfRange, "Audio Timeout Error: Long duration elapsed without audio. Audio should be sent close to real time.", "", 0, ports.KindTransient, "OutOfRange", quiet},
		{"sent too fast", codes.OutOfRange, "Audio data is being streamed too fast. Please stream audio data approximately at real time.", "", 0, ports.KindUnsupported, "OutOfRange", quiet},
		{"wrong API key", codes.InvalidArgument, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID", 0, ports.KindDenied, "API_KEY_INVALID", ports.ScopeAccount},
		{"deadline", codes.DeadlineExceeded, secret, "", 0, ports.KindTimeout, "DeadlineExceeded", quiet},
		{"no such recognizer", codes.NotFound, secret, "", 0, ports.KindInvalid, "NotFound", quiet},
		{"exists", codes.AlreadyExists, secret, "", 0, ports.KindInvalid, "AlreadyExists", quiet},
		{"not permitted", codes.PermissionDenied, secret, "", 0, ports.KindDenied, "PermissionDenied", ports.ScopeAccount},
		{"API switched off", codes.PermissionDenied, secret, "SERVICE_DISABLED", 0, ports.KindDenied, "SERVICE_DISABLED", ports.ScopeAccount},
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
		{"no credentials", codes.Unauthenticated, secret, "ACCESS_TOKEN_EXPIRED", 0, ports.KindDenied, "ACCESS_TOKEN_EXPIRED", ports.ScopeAccount},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := googlefake.Start(t)
			s.BreakSpeech(googlefake.Faults{Status: googlefake.Refusal(tt.code, tt.sentence, tt.reason, tt.wait)})
			calls := 0
			for _, cfg := range versions {
				e := ear(t, s, cfg)
				for _, length := range []time.Duration{time.Second, time.Minute} {
					err := refused(t, t.Context(), e, recording(t, secret, length))
					calls++
					assert.Len(t, s.Hearings(), calls, "it was asked again")
					assert.Equal(t, tt.kind, err.Kind)
					assert.Equal(t, tt.want, err.Code)
					assert.Equal(t, tt.scope, err.Scope)
					assert.Equal(t, min(tt.wait, 24*time.Hour), err.RetryAfter)
					assert.NotContains(t, err.Error(), tt.sentence)
					// Their clock may run ahead of ours, and the caller looks for its own deadline.
					assert.Equal(t, tt.kind == ports.KindTimeout, errors.Is(err, context.DeadlineExceeded))
				}
			}
		})
	}
}

// TestErrorInsideAnAnswer: version 1 may end a stream with an answer that holds the
// status.
func TestErrorInsideAnAnswer(t *testing.T) {
	s := googlefake.Start(t)
	s.BreakSpeech(googlefake.Faults{InAnswer: true, AfterAudio: 1, Status: googlefake.Refusal(codes.ResourceExhausted, secret, "", time.Minute)})
	err := refused(t, t.Context(), ear(t, s, versions["v1"]), recording(t, secret, time.Minute))
	assert.Equal(t, ports.KindRateLimited, err.Kind)
	assert.Equal(t, time.Minute, err.RetryAfter)
}

func TestDroppedConnection(t *testing.T) {
	for version, cfg := range versions {
		for _, length := range []time.Duration{time.Second, time.Minute} {
			t.Run(version+"/"+length.String(), func(t *testing.T) {
				s := googlefake.Start(t)
				s.BreakSpeech(googlefake.Faults{Calls: 1, Drop: true})
				e := ear(t, s, cfg)
				assert.Equal(t, ports.KindTransient, refused(t, t.Context(), e, recording(t, secret, length)).Kind)
				tr, err := e.Transcribe(t.Context(), recording(t, "hello", length), ports.STTOptions{})
				require.NoError(t, err, "the next call connects again")
				assert.Equal(t, "hello", tr.Text)
			})
		}
	}
}

func TestDeadServiceAndItsReturn(t *testing.T) {
	s, err := googlefake.Launch()
	require.NoError(t, err)
	e := ear(t, s, versions["v2"])
	s.Stop()
	require.Eventually(t, func() bool { // the first may still break the connection there was
		got := refused(t, t.Context(), e, recording(t, secret, time.Second))
		return assert.Equal(t, ports.KindTransient, got.Kind) && strings.Contains(got.Error(), "no connection")
	}, 20*time.Second, 10*time.Millisecond)

	s, err = googlefake.LaunchOn(s.Addr())
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	require.Eventually(t, func() bool {
		_, err := e.Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{})
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
}

func TestSlowService(t *testing.T) {
	for version, cfg := range versions {
		for _, length := range []time.Duration{time.Second, time.Minute} {
			t.Run(version+"/"+length.String(), func(t *testing.T) {
				s := googlefake.Start(t)
				e := ear(t, s, cfg)
				s.BreakSpeech(googlefake.Faults{Delay: 20 * time.Millisecond})
				_, err := e.Transcribe(t.Context(), recording(t, "hello", length), ports.STTOptions{})
				require.NoError(t, err)

				s.BreakSpeech(googlefake.Faults{Delay: time.Hour})
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
				defer cancel()
				got := refused(t, ctx, e, recording(t, secret, length))
				assert.Equal(t, ports.KindTimeout, got.Kind)
				assert.ErrorIs(t, got, context.DeadlineExceeded)
			})
		}
	}
}

// TestAnswersAreReadThroughALimit: neither one message nor many may fill the memory.
func TestAnswersAreReadThroughALimit(t *testing.T) {
	huge := make([]byte, 5<<20)
	for i := range huge {
		huge[i] = 'x'
	}
	for version, cfg := range versions {
		t.Run(version, func(t *testing.T) {
			s := googlefake.Start(t)
			e := ear(t, s, cfg)
			s.Hears(googlefake.Result{Text: string(huge)})
			for _, length := range []time.Duration{time.Second, time.Minute} {
				got := refused(t, t.Context(), e, recording(t, secret, length))
				assert.Equal(t, ports.KindTransient, got.Kind)
				assert.ErrorContains(t, got, "too large")
			}
			s.Hears(googlefake.Result{Text: string(huge[:100<<10])})
			s.BreakSpeech(googlefake.Faults{Answers: 1000})
			got := refused(t, t.Context(), e, recording(t, secret, time.Minute))
			assert.Equal(t, ports.KindTransient, got.Kind)
			assert.ErrorContains(t, got, "longer than a clip can be")
		})
	}
}

func TestClosedEarFails(t *testing.T) {
	s := googlefake.Start(t)
	cfg := versions["v2"]
	cfg.Endpoint = s.Endpoint()
	e, err := googlespeech.NewSTT(cfg)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	_, err = e.Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{})
	var out *ports.Error
	require.True(t, errors.As(err, &out))
	assert.Empty(t, s.Hearings())
}
