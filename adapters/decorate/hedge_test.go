package decorate_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestHedge(t *testing.T) {
	const s = time.Second
	slow := func(d time.Duration) fake.Knobs { return fake.Knobs{Transcribe: d} }
	fails := func(kind ports.Kind, d time.Duration) fake.Knobs { return fake.Knobs{Error: kind, Transcribe: d} }
	for name, tc := range map[string]struct {
		vendors  []fake.Knobs
		calls    []string
		switches []string
		took     time.Duration
		kind     ports.Kind
	}{
		"first is quick enough": {
			[]fake.Knobs{slow(2 * s), slow(s)}, []string{"a ok 2s"}, nil, 2 * s, "",
		},
		"second overtakes": {
			[]fake.Knobs{slow(9 * s), slow(s)}, []string{"b ok 1s", "a canceled 4s"}, []string{"a-b hedge"}, 4 * s, "",
		},
		"first wins all the same": {
			[]fake.Knobs{slow(4 * s), slow(9 * s)}, []string{"a ok 4s", "b canceled 1s"}, []string{"a-b hedge"}, 4 * s, "",
		},
		"first fails while second is at it": {
			[]fake.Knobs{fails(ports.KindDenied, 4*s), slow(9 * s)}, []string{"a denied 4s", "b ok 9s"}, []string{"a-b hedge"}, 12 * s, "",
		},
		"first fails before the delay": {
			[]fake.Knobs{fails(ports.KindDenied, s), slow(2 * s)}, []string{"a denied 1s", "b ok 2s"}, []string{"a-b denied"}, 3 * s, "",
		},
		"third helps the slow first after second failed": {
			[]fake.Knobs{slow(9 * s), fails(ports.KindDenied, s), slow(s)},
			[]string{"b denied 1s", "c ok 1s", "a canceled 5s"},
			[]string{"a-b hedge", "b-c denied"},
			5 * s, "",
		},
		"each has the delay to itself": {
			[]fake.Knobs{fails(ports.KindDenied, s), slow(9 * s), slow(s)},
			[]string{"a denied 1s", "c ok 1s", "b canceled 4s"},
			[]string{"a-b denied", "b-c hedge"},
			5 * s, "",
		},
		"never three at once": {
			[]fake.Knobs{slow(20 * s), slow(11 * s), slow(s)}, []string{"b ok 11s", "a canceled 14s"}, []string{"a-b hedge"}, 14 * s, "",
		},
		"a refusal ends it": {
			[]fake.Knobs{slow(9 * s), fails(ports.KindBlocked, s)}, []string{"b blocked 1s", "a canceled 4s"}, []string{"a-b hedge"}, 4 * s, ports.KindBlocked,
		},
		"all fail": {
			[]fake.Knobs{fails(ports.KindDenied, 5*s), fails(ports.KindUnsupported, s)},
			[]string{"b unsupported 1s", "a denied 5s"},
			[]string{"a-b hedge"},
			5 * s, ports.KindDenied,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &watch{}
				var vendors []ports.STTPort
				for _, k := range tc.vendors {
					vendors = append(vendors, ear(t, k))
				}
				began := time.Now()
				err := hear(t, within(t, 90*s), ears(t, decorate.Policy{Hedge: 3 * s, Observer: w.observer()}, vendors...))
				assert.Equal(t, tc.kind, ports.KindOf(err))
				assert.Equal(t, tc.took, time.Since(began))
				for _, c := range w.calls {
					assert.Equal(t, c.Provider == "b" && tc.switches[0] == "a-b hedge" || c.Provider == "c", c.Hedge, c.Provider)
				}
				assert.Equal(t, tc.calls, w.told())
				assert.Equal(t, tc.switches, w.went())
			})
		})
	}
}

func TestHedgeIsOffByDefaultAndNeedsTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, idle := ear(t, fake.Knobs{Transcribe: 9 * time.Second}), ear(t, fake.Knobs{})
		require.NoError(t, hear(t, within(t, time.Minute), ears(t, decorate.Policy{}, slow, idle)))
		assert.Zero(t, idle.Count())
		require.NoError(t, hear(t, within(t, time.Minute), ears(t, decorate.Policy{Hedge: time.Second}, slow)))
	})
}

func TestLosersAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		stubborn := earFunc(func(ctx context.Context) (domain.Transcript, error) {
			<-ctx.Done()
			time.Sleep(500 * time.Millisecond) // as a process that is killed takes its time
			gone.Store(true)
			return domain.Transcript{}, ports.FromContext(ctx, "stubborn")
		})
		require.NoError(t, hear(t, within(t, time.Minute), ears(t, decorate.Policy{Hedge: time.Second}, stubborn, scripted())))
		assert.True(t, gone.Load())
	})
}

func TestPanicEndsTheRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := earFunc(func(context.Context) (domain.Transcript, error) {
			time.Sleep(2 * time.Second)
			panic("out of tune")
		})
		var gone atomic.Bool
		other := earFunc(func(ctx context.Context) (domain.Transcript, error) {
			<-ctx.Done()
			gone.Store(true)
			return domain.Transcript{}, ports.FromContext(ctx, "other")
		})
		began := time.Now()
		e := ears(t, decorate.Policy{Hedge: time.Second}, bad, other)
		assert.PanicsWithValue(t, "out of tune", func() { _ = hear(t, within(t, time.Minute), e) })
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.True(t, gone.Load())
	})
}

func TestModelsAreHedgedUntilTheFirstWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		policy := decorate.Policy{Hedge: 2 * time.Second, Observer: w.observer()}
		first := fake.Knobs{FirstToken: 5 * time.Second}
		second := fake.Knobs{FirstToken: time.Second, Rate: 1} // 4 tokens
		a, b := brain(t, first), brain(t, second)
		a.Script("from the first")
		b.Script("this is the second")
		text, _, err := ports.Collect(models(t, policy, a, b).Generate(within(t, time.Minute), asking("hello")))
		require.NoError(t, err)
		assert.Equal(t, "this is the second", text)
		assert.Equal(t, []string{"a canceled 3s", "b ok 5s"}, w.told(), "the first is cancelled when the second begins to speak")
		assert.Equal(t, []string{"a-b hedge"}, w.went())
	})
}

// TestBothModelsBeginInTheSameInstant: the stream that is not read is closed.
func TestBothModelsBeginInTheSameInstant(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			w := &watch{}
			var open atomic.Int64
			begins := func(after time.Duration) modelFunc {
				return func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
					open.Add(1)
					defer open.Add(-1)
					time.Sleep(after)
					if yield(ports.LLMChunk{Text: "Yes."}, nil) {
						yield(ports.LLMChunk{Done: true}, nil)
					}
				}
			}
			policy := decorate.Policy{Hedge: time.Second, Observer: w.observer()}
			text, _, err := ports.Collect(models(t, policy, begins(2*time.Second), begins(time.Second)).Generate(within(t, time.Minute), asking("hello")))
			require.NoError(t, err)
			assert.Equal(t, "Yes.", text)
			assert.Zero(t, open.Load())
			kinds := map[ports.Kind]int{}
			for _, c := range w.calls {
				kinds[c.Kind]++
			}
			assert.Equal(t, map[ports.Kind]int{"": 1, ports.KindCanceled: 1}, kinds)
		})
	}
}

func TestHedgedReaderMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := decorate.Policy{Hedge: time.Second}
		for range models(t, policy, brain(t, fake.Knobs{Hang: true}), brain(t, fake.Knobs{CutAfter: 1, Hang: true})).Generate(within(t, time.Minute), asking("hello")) {
			break
		}
	})
}
