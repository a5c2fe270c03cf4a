package report_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/test/bench/report"
)

// upTo is 1 ms, 2 ms ... n ms in a random order.
func upTo(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i, p := range rand.Perm(n) {
		out[i] = time.Duration(p+1) * time.Millisecond
	}
	return out
}

func TestSummarize(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for n, want := range map[int]report.Quantiles{
		0:     {},
		1:     {N: 1, P50: ms(1), Max: ms(1)},
		2:     {N: 2, P50: ms(1), Max: ms(2)},
		3:     {N: 3, P50: ms(2), Max: ms(3)},
		99:    {N: 99, P50: ms(50), Max: ms(99)},
		100:   {N: 100, P50: ms(50), P99: ms(99), Max: ms(100)},
		1000:  {N: 1000, P50: ms(500), P99: ms(990), P999: ms(999), Max: ms(1000)},
		10000: {N: 10000, P50: ms(5000), P99: ms(9900), P999: ms(9990), Max: ms(10000)},
	} {
		assert.Equal(t, want, report.Summarize(upTo(n)), "%d values", n)
	}
}

func TestSummarizeLeavesTheValuesAlone(t *testing.T) {
	values := []time.Duration{3, 1, 2}
	report.Summarize(values)
	assert.Equal(t, []time.Duration{3, 1, 2}, values)
}
