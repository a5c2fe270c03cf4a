package anthropic_test

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
	with := func(answer func(http.ResponseWriter, *http.Request, question)) func(*testing.T) ports.LLMPort {
		return func(t *testing.T) ports.LLMPort {
			s := newMessagesAPIOn(t, servePipes)
			s.answer = answer
			m := s.model(nil)
			servers.Store(m, s)
			return m
		}
	}
	status := func(code int, kind, message string) func(*testing.T) ports.LLMPort {
		return with(func(w http.ResponseWriter, _ *http.Request, q question) {
			refuse(w, code, kind, message+": "+q.Messages[0].Content[0].Text) // a vendor that quotes
		})
	}
	porttest.TestLLM(t, porttest.LLMHarness{
		New:       with(nil),
		Echoes:    true,
		Truncates: true,
		Hang:      with(func(_ http.ResponseWriter, r *http.Request, _ question) { hang(r) }),
		Stall: with(func(w http.ResponseWriter, r *http.Request, _ question) {
			begin(w, 20)
			say(w, "Well, ")
			hang(r)
		}),
		Cut: with(func(w http.ResponseWriter, _ *http.Request, _ question) {
			begin(w, 20)
			say(w, "Well, ")
			cut(w)
		}),
		Empty: with(func(w http.ResponseWriter, _ *http.Request, _ question) {
			begin(w, 20)
			end(w, "end_turn", 0)
		}),
		Fail: map[ports.Kind]func(*testing.T) ports.LLMPort{
			ports.KindDenied:      status(401, "authentication_error", "invalid x-api-key"),
			ports.KindInvalid:     status(404, "not_found_error", "model"),
			ports.KindRateLimited: status(429, "rate_limit_error", "This request would exceed your organization's rate limit"),
			ports.KindTransient:   status(529, "overloaded_error", "Overloaded"),
			ports.KindTimeout:     status(504, "timeout_error", "Request timed out"),
			ports.KindUnsupported: status(413, "request_too_large", "Request exceeds the maximum size"),
			ports.KindBlocked: with(func(w http.ResponseWriter, _ *http.Request, _ question) {
				begin(w, 20)
				end(w, "refusal", 0)
			}),
		},
		Asks: func(t *testing.T, calls []ports.ToolCall) ports.LLMPort { return with(asksFor(calls))(t) },
		Calls: func(m ports.LLMPort) int {
			s, _ := servers.Load(m)
			return len(s.(*messagesAPI).calls())
		},
		Wrap: synctest.Test,
	})
}
