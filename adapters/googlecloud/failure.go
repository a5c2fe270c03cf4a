package googlecloud

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// Judge tells the kind of a refusal by the service's sentence, in lower case: the
// status is InvalidArgument for a wrong request too. Empty leaves it to the status.
type Judge func(sentence string) ports.Kind

// Failure turns the error of a call into an Error. Of what the service wrote only the
// code, the reason and the delay are kept: its sentences may quote the request.
func Failure(ctx context.Context, op string, err error, judge Judge) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	st, isStatus := status.FromError(err)
	if !isStatus {
		return &ports.Error{Op: op, Kind: ports.KindUnknown, Err: fmt.Errorf("the call failed (%T)", err)}
	}
	e := &ports.Error{Op: op, Kind: kindOf(st, judge), Code: st.Code().String(), Err: errors.New(describe(st))}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.RetryInfo:
			e.RetryAfter = min(max(d.GetRetryDelay().AsDuration(), 0), httpstatus.MaxRetryAfter)
		case *errdetails.ErrorInfo:
			if reasonPattern.MatchString(d.GetReason()) {
				e.Code = d.GetReason()
			}
		}
	}
	if strings.HasPrefix(e.Code, "API_KEY_") {
		e.Kind = ports.KindDenied
	}
	switch e.Kind {
	case ports.KindDenied, ports.KindRateLimited:
		e.Scope = ports.ScopeAccount
	case ports.KindTimeout:
		// The service watches our deadline too and may be a moment earlier.
		e.Err = fmt.Errorf("%w: %w", e.Err, context.DeadlineExceeded)
	}
	return e
}

// reasonPattern is what ErrorInfo.reason may look like (google.rpc.ErrorInfo).
var reasonPattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,62}$`)

// What gRPC itself writes, on our side, before or after the service had its say.
const (
	localNoToken   = "transport: per-RPC creds failed" // #nosec G101 -- words of an error, no credential
	localTooLarge  = "grpc: received message larger"
	localNoConnect = "connection error"
)

func kindOf(st *status.Status, judge Judge) ports.Kind {
	text := strings.ToLower(st.Message())
	switch st.Code() {
	case codes.Canceled:
		return ports.KindTransient // not by us: our context lives
	case codes.NotFound:
		return ports.KindInvalid // a name in the settings
	case codes.Unauthenticated:
		if strings.HasPrefix(st.Message(), localNoToken) && HasAny(text, tokenOutages) {
			return ports.KindTransient
		}
	case codes.ResourceExhausted:
		if strings.HasPrefix(text, localTooLarge) {
			return ports.KindTransient // a malformed answer, and no quota
		}
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		if kind := judge(text); kind != "" {
			return kind
		}
	}
	return httpstatus.GRPCKind(uint32(st.Code()))
}

// tokenOutages are words in the error of a token that could not be fetched, when
// it is not for a wrong key.
var tokenOutages = []string{"dial tcp", "connection re", "timeout", "deadline", "eof", "no such host", "cannot fetch token: 5"}

// HasAny reports whether one of the words stands in the text.
func HasAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// describe says what happened in words of ours.
func describe(st *status.Status) string {
	switch text := st.Message(); {
	case strings.HasPrefix(text, localNoToken):
		return "no access token could be had"
	case strings.HasPrefix(text, localTooLarge):
		return "the answer is too large"
	case st.Code() == codes.Unavailable && strings.Contains(text, localNoConnect):
		return "there is no connection to the service"
	}
	return "the service answered " + st.Code().String()
}
