package gemini_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func TestLLMContract(t *testing.T) {
	var servers sync.Map // the server of each model
	with := func(reply func(*answer, *http.Request, question)) func(*testing.T) ports.LLMPort {
		return func(t *testing.T) ports.LLMPort {
			s := newGenerateAPIOn(t, servePipes)
			s.answer = reply
			m := s.model(nil)
			servers.Store(m, s)
			return m
		}
	}
	status := func(code int, name, message string) func(*testing.T) ports.LLMPort {
		return with(func(a *answer, _ *http.Request, q question) {
			a.refuse(code, name, message+": "+q.Contents[0].Parts[0].Text) // a vendor that quotes
		})
	}
	porttest.TestLLM(t, porttest.LLMHarness{
		New:       with(nil),
		Echoes:    true,
		Truncates: true,
		Hang:      with(func(_ *answer, r *http.Request, _ question) { hang(r) }),
		Stall: with(func(a *answer, r *http.Request, _ question) {
			a.say("Well, ")
			hang(r)
		}),
		Cut: with(func(a *answer, _ *http.Request, _ question) {
			a.say("Well, ")
			a.cut()
		}),
		Empty: with(func(a *answer, _ *http.Request, _ question) { a.finish("STOP", 0, 0) }),
		Fail: map[ports.Kind]func(*testing.T) ports.LLMPort{
			ports.KindDenied:      status(403, "PERMISSION_DENIED", "Permission denied"),
			ports.KindInvalid:     status(404, "NOT_FOUND", "models/nonesuch is not found for API version v1beta"),
			ports.KindRateLimited: status(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
			ports.KindTransient:   status(503, "UNAVAILABLE", "The model is overloaded"),
			ports.KindTimeout:     status(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete"),
			ports.KindUnsupported: status(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)"),
			ports.KindBlocked:     with(func(a *answer, _ *http.Request, _ question) { a.finish("SAFETY", 0, 0) }),
		},
		Calls: func(m ports.LLMPort) int {
			s, _ := servers.Load(m)
			return len(s.(*generateAPI).calls())
		},
		Wrap: synctest.Test,
	})
}
