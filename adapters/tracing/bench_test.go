package tracing_test

import (
	"context"
	"testing"
	"time"

	"whatsappnode/adapters/tracing"
	"whatsappnode/ports"
)

// BenchmarkTurn is what the spans of a voice turn of five pieces cost where they are
// made, without their export, which waits for the end of the run.
func BenchmarkTurn(b *testing.B) {
	for name, sampler := range map[string]string{"Kept": "always_on", "NotKept": "always_off"} {
		b.Run(name, func(b *testing.B) {
			tr, err := tracing.New(context.Background(), tracing.Config{Endpoint: "http://127.0.0.1:1", Sampler: sampler, Timeout: time.Millisecond}, ref, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				ctx, done := tr.Turn(context.Background(), ports.TurnTrace{Turn: "t1", Conversation: "c1", Trace: parent, ReceivedAt: time.Now().Add(-time.Second), Attempt: 1})
				for _, step := range []string{"understand", "answer", "speak", "encode"} {
					_, end := tr.Step(ctx, step)
					end(nil)
				}
				for range 7 {
					tr.Attempt(ctx, tracing.Attempt{Stage: "tts", Vendor: "openai", Model: "m", Took: time.Second, Characters: 10, AudioBytes: 10, Audio: time.Second, Priced: true})
				}
				for _, call := range []string{"fetch_media", "upload", "send", "mark_read"} {
					_, end := tr.Network(ctx, call, 1)
					end(1, nil)
				}
				done("sent", nil)
			}
			b.StopTimer()
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			_ = tr.Close(ctx) // nobody listens
		})
	}
}
