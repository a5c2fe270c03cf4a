package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"whatsappnode/ports"
)

// Sources are read at each scrape. All functions must return within about two
// seconds, and may be called concurrently; nil ones have no series.
type Sources struct {
	Backlog ports.BacklogPort
	// Breakers lists the circuit breakers.
	Breakers func() []Breaker
	// Checks lists the readiness checks and whether each passes.
	Checks func(ctx context.Context) map[string]bool
	// Leases is how many conversations this process has in hand.
	Leases func() int
	// Counters that are kept elsewhere.
	EventsDropped, LinesCut, SpansLost func() int64
	// Version, Role and Store describe the process.
	Version, Role, Store string
}

// Breaker is how a circuit breaker stands: "closed", "half_open" or "open".
type Breaker struct{ Stage, Vendor, State string }

const (
	// backlogAge is how long a backlog is used again, so that several scrapers cost
	// the store no more than one.
	backlogAge = 5 * time.Second
	// scrapeBudget bounds what a scrape waits for.
	scrapeBudget = 2 * time.Second
)

// Read adds the series of what is read at a scrape. It is called once.
func (m *Metrics) Read(s Sources) {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "One, with what is running as labels."}, []string{"version", "role", "store"})
	info.WithLabelValues(s.Version, s.Role, s.Store).Set(1)
	m.registry.MustRegister(info)
	m.function("events_dropped_total", "Events that found the log's queue full.", s.EventsDropped)
	m.function("log_lines_cut_total", "Log lines that were over the bound and were cut.", s.LinesCut)
	m.function("spans_lost_total", "Spans that could not be exported.", s.SpansLost)
	if s.Leases != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "leases", Help: "Conversations that this process has in hand.",
		}, func() float64 { return float64(s.Leases()) }))
	}
	m.registry.MustRegister(&reader{sources: s})
}

func (m *Metrics) function(name, help string, read func() int64) {
	if read == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help},
		func() float64 { return float64(read()) }))
}
