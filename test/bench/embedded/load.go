package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"whatsappnode/test/simulator"
)

// users is how many people write during the load.
const users = 500

func phone(i int) string { return fmt.Sprintf("346001%05d", i) }

// load posts signed text messages at a steady rate and returns the latency of each
// from the moment it was due.
func load(ctx context.Context, addr string, rate int, duration time.Duration) ([]time.Duration, int) {
	total := int(duration.Seconds() * float64(rate))
	bodies := make([][]byte, total)
	for i := range bodies {
		bodies[i] = webhook(i)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	defer client.CloseIdleConnections()

	took := make([]time.Duration, total)
	failed := make([]bool, total)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range total {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			failed[i] = !post(ctx, client, addr, bodies[i])
			took[i] = time.Since(due)
		})
	}
	wg.Wait()
	bad := 0
	for _, f := range failed {
		if f {
			bad++
		}
	}
	return took, bad
}

func post(ctx context.Context, client *http.Client, addr string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/webhook", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", simulator.Sign(appSecret, body))
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// webhook is one text message in Meta's shape, each with an id of its own.
func webhook(i int) []byte {
	p := phone(i % users)
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"109900112233445","changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},"contacts":[{"profile":{"name":"User"},"wa_id":"%s"}],`+
		`"messages":[{"from":"%s","id":"wamid.bench%d.%d","timestamp":"%d","type":"text","text":{"body":"How late are you open today?"}}]},"field":"messages"}]}]}`,
		numberID, p, p, os.Getpid(), i, time.Now().Unix())
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile sorts a copy; q is between 0 and 1.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Clone(d)
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))]
}

// bareWrite is the median time of appending one webhook's bytes to a file with
// fsync: the floor under every durable acknowledgement on this disk.
func bareWrite() time.Duration {
	f, err := os.CreateTemp("", "bench-")
	if err != nil {
		return 0
	}
	defer os.Remove(f.Name())
	defer f.Close()
	body := webhook(0)
	var took []time.Duration
	for range 200 {
		began := time.Now()
		if _, err := f.Write(body); err != nil {
			return 0
		}
		if err := f.Sync(); err != nil {
			return 0
		}
		took = append(took, time.Since(began))
	}
	return quantile(took, 0.5)
}
