package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

// measured is what the webhooks of one phase met.
type measured struct {
	took   []time.Duration
	failed int
	memory int // of the bot, in bytes, at its most
	held   string
}

// measure posts webhooks at a steady rate while an attack is under way. A latency counts
// from the moment at which its webhook was due.
func measure(ctx context.Context, p plan, bot *rig.Process, a attack) (measured, error) {
	attacking, end := context.WithTimeout(ctx, p.phase)
	defer end()
	var m measured
	var failure error
	var wg sync.WaitGroup
	wg.Go(func() { m.held, failure = a.do(attacking, bot.Addr) })

	// Each webhook has a connection of its own: what is measured is getting in.
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	total := int(p.phase.Seconds() * float64(p.rate))
	m.took = make([]time.Duration, total)
	ok := make([]bool, total)
	began := time.Now()
	var posts sync.WaitGroup
	for i := range total {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(p.rate))
		if err := rig.Sleep(ctx, time.Until(due)); err != nil {
			break
		}
		posts.Go(func() {
			ok[i] = acknowledged(ctx, client, bot.Addr, began.UnixNano(), i)
			m.took[i] = time.Since(due)
		})
		if i%p.rate == 0 {
			m.memory = max(m.memory, resident(bot.Pid()))
		}
	}
	posts.Wait()
	wg.Wait()
	for _, good := range ok {
		if !good {
			m.failed++
		}
	}
	return m, failure
}

// acknowledged posts one text message, which must be on the disk before its 200.
func acknowledged(ctx context.Context, client *http.Client, addr string, phase int64, i int) bool {
	user := fmt.Sprintf("346001%05d", i%500)
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},"contacts":[{"profile":{"name":"User"},"wa_id":"%s"}],`+
		`"messages":[{"from":"%s","id":"wamid.slow%d.%d","timestamp":"%d","type":"text","text":{"body":"hi"}}]},"field":"messages"}]}]}`,
		rig.NumberID, user, user, phase, i, time.Now().Unix())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/webhook", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", simulator.Sign(rig.AppSecret, body))
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return err == nil && resp.StatusCode == http.StatusOK && bytes.Contains(answer, []byte(`"accepted"`))
}

// resident reads how much memory a process holds, in bytes.
func resident(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10
		}
	}
	return 0
}
