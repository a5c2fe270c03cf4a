package wav

import "math"

// The filter of a Resampler: a sinc under a Kaiser window. With 48 zeros on each
// side its edge is a tenth of the band wide, so with the cutoff in the middle of
// the edge everything up to 0.89 of the lower rate's half passes unchanged, and
// from that half on nothing is left but what lies 80 dB down.
const (
	zeros  = 48
	cutoff = 0.945
	beta   = 7.9
)

// Resampler brings mono samples from one rate to another. It makes its filters as
// it needs them, so it belongs to one goroutine.
type Resampler struct {
	from, to int64
	band     float64 // cutoff as a share of half the input's rate
	reach    int     // taps on each side
	phases   int64   // a ratio of small numbers has few distinct phases, each with its taps
	table    [][]float64
}

// NewResampler makes a resampler. Both rates must be positive.
func NewResampler(from, to int) *Resampler {
	r := &Resampler{from: int64(from), to: int64(to), band: cutoff * min(1, float64(to)/float64(from))}
	r.reach = int(math.Ceil(zeros / r.band))
	r.phases = r.to / gcd(r.from, r.to)
	r.table = make([][]float64, r.phases)
	return r
}

// Len is how many samples n samples become.
func (r *Resampler) Len(n int) int { return int(int64(n) * r.to / r.from) }

// Fill computes len(out) samples of the new rate, beginning with the first-th,
// out of the whole input. A long clip can so be done in pieces; the pieces join
// without a seam. Beyond the input's ends there is silence.
func (r *Resampler) Fill(out, in []int16, first int) {
	for i := range out {
		at := int64(first+i) * r.from
		taps := r.taps(at % r.to / (r.to / r.phases))
		from := int(at/r.to) - r.reach + 1
		if cut := -from; cut > 0 {
			taps, from = taps[min(cut, len(taps)):], 0
		}
		if from >= len(in) {
			out[i] = 0
			continue
		}
		v := math.Round(dot(taps, in[from:min(from+len(taps), len(in))]))
		out[i] = int16(max(math.MinInt16, min(math.MaxInt16, v)))
	}
}

// dot is the sum of products over the shorter of both. Four sums keep the processor
// from waiting for one.
func dot(w []float64, x []int16) float64 {
	n := min(len(w), len(x))
	w, x = w[:n], x[:n]
	var a, b, c, d float64
	for len(w) >= 4 && len(x) >= 4 {
		a += w[0] * float64(x[0])
		b += w[1] * float64(x[1])
		c += w[2] * float64(x[2])
		d += w[3] * float64(x[3])
		w, x = w[4:], x[4:]
	}
	for i, v := range w {
		a += v * float64(x[i])
	}
	return a + b + c + d
}

// taps are the filter's weights for a sample that lies phase/phases after another.
func (r *Resampler) taps(phase int64) []float64 {
	if r.table[phase] != nil {
		return r.table[phase]
	}
	w := make([]float64, 2*r.reach)
	total := 0.0
	for k := range w {
		x := float64(k-r.reach+1) - float64(phase)/float64(r.phases)
		t := x / float64(r.reach)
		v := r.band
		if x != 0 {
			v = math.Sin(math.Pi*r.band*x) / (math.Pi * x)
		}
		v *= bessel(beta * math.Sqrt(max(0, 1-t*t)))
		w[k] = v
		total += v
	}
	for k := range w {
		w[k] /= total // a steady level keeps its level
	}
	r.table[phase] = w
	return w
}

// bessel is the modified Bessel function of the first kind and order zero, which
// makes a Kaiser window.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

// Resample brings mono samples from one rate to another. Both rates must be
// positive; the same rate returns the input itself.
func Resample(in []int16, from, to int) []int16 {
	if from == to || len(in) == 0 {
		return in
	}
	r := NewResampler(from, to)
	out := make([]int16, r.Len(len(in)))
	r.Fill(out, in, 0)
	return out
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
