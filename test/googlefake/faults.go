package googlefake

import (
	"context"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Faults say how calls fail. They are looked at in the order of the fields.
type Faults struct {
	// Calls limits the faults to that many calls; 0 means every one.
	Calls int
	// Delay makes each call take that long, or until it is given up.
	Delay time.Duration
	// Hang makes calls wait until the client gives up.
	Hang bool
	// Drop cuts every connection instead of an answer.
	Drop bool
	// Status is answered instead of a result; see Refusal.
	Status error
	// AfterAudio lets a stream fail once it took that many messages of sound; 0 means
	// before the first is looked at.
	AfterAudio int
	// EndStream ends a stream in good order after AfterAudio messages.
	EndStream bool
	// InAnswer puts the Status of a stream of version 1 into an answer, as that does.
	InAnswer bool
	// Empty makes a success without anything in it.
	Empty bool
	// Sound replaces what the voice delivers.
	Sound []byte
	// Answers repeats a stream's result that often.
	Answers int
}

// faults are those of one service, with what is left of them.
type faults struct {
	Faults
	left int // calls, where limited
	on   bool
}

// BreakSpeech orders faults of both versions of Speech-to-Text.
func (s *Server) BreakSpeech(f Faults) { s.order(&s.speech, f) }

// BreakVoice orders faults of Text-to-Speech.
func (s *Server) BreakVoice(f Faults) { s.order(&s.voice, f) }

// Mend ends all faults.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.speech, s.voice = faults{}, faults{}
}

func (s *Server) order(at *faults, f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*at = faults{Faults: f, left: f.Calls, on: true}
}

// take returns the faults of one call.
func (s *Server) take(at *faults) Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !at.on {
		return Faults{}
	}
	if at.Calls > 0 {
		if at.left == 0 {
			return Faults{}
		}
		at.left--
	}
	return at.Faults
}

// strike lets a call fail as ordered; it returns nil where it goes on.
func (s *Server) strike(ctx context.Context, f Faults) error {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if f.Hang {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	if f.Drop {
		s.Drop()
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	if !f.InAnswer {
		return f.Status
	}
	return nil
}

// Refusal is a status as Google sends it, with a reason for machines ("" for none)
// and a time to wait (0 for none).
func Refusal(code codes.Code, sentence, reason string, wait time.Duration) error {
	st := status.New(code, sentence)
	var details []protoadapt.MessageV1
	if reason != "" {
		details = append(details, &errdetails.ErrorInfo{Reason: reason, Domain: "googleapis.com"})
	}
	if wait > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	if len(details) > 0 {
		if with, err := st.WithDetails(details...); err == nil {
			st = with
		}
	}
	return st.Err()
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}
