package metrics

import "time"

// Webhook counts a request to /webhook. Outcome is a word of the program; took is
// only kept of webhooks that were answered with 200.
func (m *Metrics) Webhook(outcome string, ok bool, took time.Duration) {
	m.webhooks.WithLabelValues(outcome).Inc()
	if ok {
		m.webhookTime.Observe(took.Seconds())
	}
}

// RequestPanic counts a panic of a request.
func (m *Metrics) RequestPanic() { m.panics.WithLabelValues(whereRequest).Inc() }

// VendorCall is one attempt at a vendor.
type VendorCall struct {
	Stage, Vendor string
	// Outcome is empty for a success, or the kind of failure.
	Outcome          string
	Took, FirstToken time.Duration
	// Clip is the length of what was heard or spoken, zero where it is not known.
	Clip                time.Duration
	TokensIn, TokensOut int
	// Dollars is the cost at list price; Priced is false when nobody knows it.
	Dollars float64
	Priced  bool
}

// VendorCall counts and times an attempt.
func (m *Metrics) VendorCall(c VendorCall) {
	outcome := c.Outcome
	if outcome == "" {
		outcome = "ok"
		m.vendorTime.WithLabelValues(c.Stage, c.Vendor, clipBucket(c.Stage, c.Clip)).Observe(c.Took.Seconds())
		if !c.Priced {
			m.unpriced.WithLabelValues(c.Stage, c.Vendor).Inc()
		}
	}
	m.vendorCalls.WithLabelValues(c.Stage, c.Vendor, outcome).Inc()
	if c.FirstToken > 0 {
		m.firstToken.WithLabelValues(c.Vendor).Observe(c.FirstToken.Seconds())
	}
	if c.TokensIn > 0 {
		m.tokens.WithLabelValues(c.Vendor, "in").Add(float64(c.TokensIn))
	}
	if c.TokensOut > 0 {
		m.tokens.WithLabelValues(c.Vendor, "out").Add(float64(c.TokensOut))
	}
	if c.Priced {
		m.spend.WithLabelValues(c.Stage, c.Vendor).Add(max(c.Dollars, 0))
	}
}

// clipBucket names a length of clip. Hearing and speaking take time with it, so
// latencies are comparable only within one.
func clipBucket(stage string, clip time.Duration) string {
	switch {
	case stage == "llm":
		return "none"
	case clip <= 0:
		return "unknown"
	case clip <= 5*time.Second:
		return "0-5s"
	case clip <= 15*time.Second:
		return "5-15s"
	case clip <= time.Minute:
		return "15-60s"
	}
	return "60s+"
}

// VendorSwitch counts that another vendor was asked.
func (m *Metrics) VendorSwitch(stage, from, to string) {
	m.switches.WithLabelValues(stage, from, to).Inc()
}

// Visited has the series of a vendor that is visited exist before a visit fails.
func (m *Metrics) Visited(vendor string) { m.visits.WithLabelValues(vendor) }

// VisitFailed counts a visit that did not reach a vendor, named as in the settings.
func (m *Metrics) VisitFailed(vendor string) { m.visits.WithLabelValues(vendor).Inc() }

// PacingFailed counts a failure to pace a send. Step is a word of the program.
func (m *Metrics) PacingFailed(step string) { m.pacing.WithLabelValues(step).Inc() }

// GraphCall times a call of the Graph API that succeeded.
func (m *Metrics) GraphCall(operation string, took time.Duration) {
	m.graphTime.WithLabelValues(operation).Observe(took.Seconds())
}

// GraphError counts an error of the Graph API. Code must be from a bounded set.
func (m *Metrics) GraphError(operation, code, kind string) {
	m.graphErrors.WithLabelValues(operation, code, kind).Inc()
}
