package metrics_test

import (
	"testing"
	"time"

	"whatsappnode/adapters/metrics"
	"whatsappnode/ports"
)

// BenchmarkTurn is what counting costs a voice turn of five pieces.
func BenchmarkTurn(b *testing.B) {
	m := metrics.New()
	b.ReportAllocs()
	for b.Loop() {
		for _, stage := range []ports.Stage{
			ports.StageReceived, ports.StageLeased, ports.StageTranscribed, ports.StageFirstToken, ports.StageAnswered, ports.StageFirstAudio,
			ports.StageSpoken, ports.StageSending, ports.StageSent, ports.StageFinished, ports.StageDelivered, ports.StageRead, ports.StagePlayed,
		} {
			m.Observe(ports.Event{Stage: stage, Took: time.Second, Age: time.Second, Detail: "voice"})
		}
		for range 5 {
			m.Webhook("accepted", true, time.Millisecond)
			m.GraphCall("send", time.Millisecond)
			m.VendorCall(metrics.VendorCall{Stage: "tts", Vendor: "openai", Took: time.Second, Clip: time.Second, Priced: true})
		}
		m.VendorCall(metrics.VendorCall{Stage: "stt", Vendor: "openai", Took: time.Second, Clip: time.Second, Priced: true})
		m.VendorCall(metrics.VendorCall{Stage: "llm", Vendor: "openai", Took: time.Second, FirstToken: time.Second, TokensIn: 1, TokensOut: 1, Priced: true})
	}
}
