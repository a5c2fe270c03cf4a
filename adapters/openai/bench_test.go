package openai_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// answering is a transport that answers every call with the same body.
type answering []byte

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(bytes.NewReader(a)),
	}, nil
}

// BenchmarkStream reads an answer of 120 tokens, each in an event of its own as OpenAI
// sends them. The network is left out.
func BenchmarkStream(b *testing.B) {
	var body bytes.Buffer
	for i := range 120 {
		fmt.Fprintf(&body, "data: {\"id\":\"chatcmpl-CKfNRmNRSmqXBm2kJc3tPQ7Gx2u8P\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"gpt-5-mini-2025-08-07\","+
			"\"service_tier\":\"default\",\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":\" wo%02d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"TcmTM5NK\"}\n\n", i%100)
	}
	body.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	llm, err := openai.NewLLM(openai.LLMConfig{BaseURL: "http://127.0.0.1:1/v1", Model: "m", Client: &http.Client{Transport: answering(body.Bytes())}})
	if err != nil {
		b.Fatal(err)
	}
	req := ports.LLMRequest{System: "Be brief.", Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: "hi"}}}
	b.ReportAllocs()
	for b.Loop() {
		text, _, err := ports.Collect(llm.Generate(b.Context(), req))
		if err != nil || len(text) != 120*5 {
			b.Fatal(len(text), err)
		}
	}
}
