package googlespeech_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
	"whatsappnode/test/googlefake"
)

// TestSTTContract runs the suite over both versions, with clips that go in one
// request and with clips that go through a stream.
func TestSTTContract(t *testing.T) {
	for name, cfg := range versions {
		for method, length := range map[string]time.Duration{"Recognize": 2 * time.Second, "StreamingRecognize": time.Minute} {
			t.Run(name+"/"+method, func(t *testing.T) { contract(t, cfg, length) })
		}
	}
}

func contract(t *testing.T, cfg googlespeech.Config, length time.Duration) {
	var servers sync.Map // of each ear
	broken := func(f googlefake.Faults) func(*testing.T) ports.STTPort {
		return func(t *testing.T) ports.STTPort {
			s := googlefake.Start(t)
			s.BreakSpeech(f)
			e := ear(t, s, cfg)
			servers.Store(e, s)
			return e
		}
	}
	refusing := func(code codes.Code) func(*testing.T) ports.STTPort {
		return broken(googlefake.Faults{Status: googlefake.Refusal(code, secret, "", 0)})
	}
	porttest.TestSTT(t, porttest.STTHarness{
		New: broken(googlefake.Faults{}),
		Spoken: func(t *testing.T) (all []porttest.Spoken) {
			for _, word := range []string{"umbrella", "teapot", "ladder"} {
				all = append(all, porttest.Spoken{Clip: recording(t, "Where is my "+word+"?", length), Word: word})
			}
			return all
		},
		Silence: func(t *testing.T) domain.Audio { return recording(t, "", length) },
		Corrupt: func(t *testing.T) []domain.Audio {
			whole := recording(t, "hello", length).Bytes()
			flipped := bytes.Clone(whole)
			flipped[len(flipped)-1] ^= 1
			headers := whole[:bytes.Index(whole[30:], []byte("OggS"))+30]
			return []domain.Audio{
				audio(t, flipped), audio(t, whole[:len(whole)/2]), audio(t, headers),
				audio(t, append(bytes.Clone(whole), whole...)), audio(t, []byte("RIFF....WAVE")),
			}
		},
		TooLong: func(t *testing.T) domain.Audio { return recording(t, "on and on", 291*time.Second) },
		Hang:    broken(googlefake.Faults{Hang: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.STTPort{
			ports.KindUnknown:     refusing(codes.Unknown),
			ports.KindInvalid:     refusing(codes.InvalidArgument),
			ports.KindDenied:      refusing(codes.PermissionDenied),
			ports.KindUnsupported: refusing(codes.Unimplemented),
			ports.KindTransient:   refusing(codes.Unavailable),
			ports.KindRateLimited: refusing(codes.ResourceExhausted),
			ports.KindTimeout:     refusing(codes.DeadlineExceeded),
		},
		Calls: func(e ports.STTPort) int {
			s, _ := servers.Load(e)
			return len(s.(*googlefake.Server).Hearings())
		},
	})
}
