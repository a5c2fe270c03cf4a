package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// BenchmarkRoundTrip is one message to a stub bot that answers it with a text, and the two statuses of that answer.
// Memory per message is what the simulator keeps: run it with -benchtime 100000x to see that a chaos run fits.
func BenchmarkRoundTrip(b *testing.B) {
	var sim *simulator.Simulator
	var graph *httptest.Server
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Entry []struct {
				Changes []struct {
					Value struct{ Messages []struct{ From, ID string } }
				}
			}
		}
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &e)
		for _, m := range e.Entry[0].Changes[0].Value.Messages {
			send := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+%s","type":"text","text":{"body":"answer"},"biz_opaque_callback_data":%q}`, m.From, m.ID)
			req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, graph.URL+"/v26.0/"+sim.Config().PhoneNumberID+"/messages", bytes.NewBufferString(send))
			req.Header.Set("Authorization", "Bearer "+sim.Config().AccessToken)
			resp, err := client.Do(req)
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}))
	defer bot.Close()
	sim, err := simulator.New(simulator.Config{WebhookURL: bot.URL, RetrySchedule: simulator.FastRetries()})
	require.NoError(b, err)
	graph = httptest.NewServer(sim.Handler())
	defer graph.Close()
	defer sim.Close()
	require.NoError(b, sim.Start(context.Background()))
	users := make([]string, 100)
	for i := range users {
		u, err := sim.AddUser(simulator.UserSpec{})
		require.NoError(b, err)
		users[i] = u.ID
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_, err := sim.SendText(users[i%len(users)], "question")
		require.NoError(b, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	require.NoError(b, sim.Wait(ctx, func(v simulator.Snapshot) bool { return v.Counts().Accepted == b.N && v.Counts().Pending == 0 }))
	b.StopTimer()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/float64(b.N), "heap-B/op")
	require.Equal(b, b.N, sim.Counts().InboundDelivered)
}
