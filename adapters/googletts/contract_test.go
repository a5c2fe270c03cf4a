package googletts_test

import (
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"whatsappnode/adapters/googletts"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
	"whatsappnode/test/googlefake"
)

func TestTTSContract(t *testing.T) {
	var servers sync.Map // of each voice
	broken := func(f googlefake.Faults) func(*testing.T) ports.TTSPort {
		return func(t *testing.T) ports.TTSPort {
			s := googlefake.Start(t)
			s.BreakVoice(f)
			v := voice(t, s, googletts.Config{})
			servers.Store(v, s)
			return v
		}
	}
	refusing := func(code codes.Code, sentence string) func(*testing.T) ports.TTSPort {
		return broken(googlefake.Faults{Status: googlefake.Refusal(code, sentence, "", 0)})
	}
	porttest.TestTTS(t, porttest.TTSHarness{
		New:             broken(googlefake.Faults{}),
		Duration:        measure,
		Formats:         []string{domain.MIMEWAV, domain.MIMEMP3},
		TooLong:         strings.Repeat("ä", 2501),
		UnknownLanguage: "tlh",
		Hang:            broken(googlefake.Faults{Hang: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.TTSPort{
			ports.KindUnknown:     refusing(codes.Unknown, secret),
			ports.KindInvalid:     refusing(codes.InvalidArgument, secret),
			ports.KindDenied:      refusing(codes.Unauthenticated, secret),
			ports.KindBlocked:     refusing(codes.InvalidArgument, "This request contains sensitive or harmful content: "+secret),
			ports.KindUnsupported: refusing(codes.InvalidArgument, "This request contains sentences that are too long: "+secret),
			ports.KindTransient:   refusing(codes.Unavailable, secret),
			ports.KindRateLimited: refusing(codes.ResourceExhausted, secret),
			ports.KindTimeout:     refusing(codes.DeadlineExceeded, secret),
		},
		Calls: func(v ports.TTSPort) int {
			s, _ := servers.Load(v)
			return len(s.(*googlefake.Server).Speakings())
		},
	})
}
