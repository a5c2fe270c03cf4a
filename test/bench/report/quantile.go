// Package report turns measurements into quantiles and pictures.
package report

import (
	"slices"
	"time"
)

// Quantiles of a number of durations. A quantile that so few values do not carry is
// zero.
type Quantiles struct {
	N    int           `json:"n"`
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns,omitempty"`
	P999 time.Duration `json:"p99_9_ns,omitempty"`
	Max  time.Duration `json:"max_ns"`
}

// Least numbers of values for a quantile to mean more than the largest value does.
const (
	enoughP99  = 100
	enoughP999 = 1000
)

// Summarize sorts a copy. P99 of fewer than 100 values and P999 of fewer than 1,000 are
// left out.
func Summarize(values []time.Duration) Quantiles {
	if len(values) == 0 {
		return Quantiles{}
	}
	s := slices.Sorted(slices.Values(values))
	q := Quantiles{N: len(s), P50: at(s, 0.5), Max: s[len(s)-1]}
	if len(s) >= enoughP99 {
		q.P99 = at(s, 0.99)
	}
	if len(s) >= enoughP999 {
		q.P999 = at(s, 0.999)
	}
	return q
}

// at is the smallest value that at least the share q of all do not exceed.
func at(sorted []time.Duration, q float64) time.Duration {
	rank := int(q*float64(len(sorted)) + 0.999999)
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Milliseconds is a duration as a number for people.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
