package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"whatsappnode/ports"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// What a reader tells.
var (
	queueMessages      = desc("queue_messages", "Messages that no finished turn has consumed, in the store.")
	queueConversations = desc("queue_conversations", "Conversations that have something waiting or are with a worker, in the store.")
	queueAge           = desc("queue_oldest_age_seconds", "Age of the oldest waiting message; 0 when none waits.")
	deadLetters        = desc("dead_letters", "Turns that were given up and wait for the operator.")
	backlogUp          = desc("backlog_up", "1 when the store told its backlog at this scrape.")
	breakerState       = desc("breaker_state", "How a vendor's circuit breaker stands: 0 closed, 1 half open (a probe is under way), 2 open.", "stage", "vendor")
	checkUp            = desc("check_up", "1 when a readiness check passes.", "check")
)

// reader is the collector of what is read at each scrape.
type reader struct {
	sources Sources

	mu      sync.Mutex // guards the cached backlog, and has scrapes ask one after the other
	backlog ports.Backlog
	read    time.Time
}

// Describe implements prometheus.Collector.
func (r *reader) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueMessages, queueConversations, queueAge, deadLetters, backlogUp, breakerState, checkUp} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (r *reader) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeBudget)
	defer cancel()
	if r.sources.Backlog != nil {
		b, err := r.waiting(ctx)
		if err != nil {
			gauge(backlogUp, 0) // and no figures: old ones would be wrong
		} else {
			gauge(backlogUp, 1)
			gauge(queueMessages, float64(b.Messages))
			gauge(queueConversations, float64(b.Conversations))
			gauge(queueAge, age(b.Oldest))
			gauge(deadLetters, float64(b.DeadLetters))
		}
	}
	if r.sources.Breakers != nil {
		for _, b := range r.sources.Breakers() {
			gauge(breakerState, map[string]float64{"half_open": 1, "open": 2}[b.State], b.Stage, b.Vendor)
		}
	}
	if r.sources.Checks != nil {
		for name, ok := range r.sources.Checks(ctx) {
			up := 0.0
			if ok {
				up = 1
			}
			gauge(checkUp, up, name)
		}
	}
}

func age(oldest time.Time) float64 {
	if oldest.IsZero() {
		return 0
	}
	return max(time.Since(oldest).Seconds(), 0) // the store's clock may be ahead of ours
}

func (r *reader) waiting(ctx context.Context) (ports.Backlog, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.read.IsZero() && time.Since(r.read) < backlogAge {
		return r.backlog, nil
	}
	b, err := r.sources.Backlog.Backlog(ctx)
	if err != nil {
		return ports.Backlog{}, err
	}
	r.backlog, r.read = b, time.Now()
	return b, nil
}
