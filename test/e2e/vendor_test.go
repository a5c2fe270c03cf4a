package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// once lets a failure through to the user: each vendor is asked one time.
var once = settings{"VENDOR_ATTEMPTS": "1"}

// TestVendorOutages breaks one vendor at a time. Another vendor of the same stage
// would be a fake one with the same knobs, so the stages that must work are offline
// engines or are not reached.
func TestVendorOutages(t *testing.T) {
	t.Parallel()
	offlineModel := settings{"LLM_PROVIDER": "offline"}
	const demo = "This is a demo without a language model. You said: hi. That is 1 word."
	for _, tt := range []struct {
		name   string
		env    settings
		knobs  string
		voice  bool // the user speaks
		says   string
		prefix bool
		reason string // in the log
	}{
		{"model fails", nil, "error=transient:1", false, fallback, false, "transient"},
		{"model is limited", nil, "error=rate_limited:1", false, fallback, false, "rate_limited"},
		{"model refuses", nil, "error=blocked:1", false, fallback, false, "blocked"},
		{"model breaks off", nil, "cut=2", false, fallback, false, "transient"},
		{"model says nothing", nil, "empty", false, fallback, false, "unknown"},
		{"model hangs", settings{"TURN_TIMEOUT": "1s"}, "hang", false, fallback, false, "timeout"},
		{"ear fails", offlineModel, "error=transient:1", true, fallback, false, "transient"},
		{"ear hangs", offlineModel.with(settings{"TURN_TIMEOUT": "1s"}), "hang", true, fallback, false, "timeout"},
		{"voice fails", offlineModel, "error=transient:1", false, demo, true, "speech"},
		{"voice delivers rubbish", offlineModel, "corrupt", false, demo, true, "speech"},
		{"voice speaks another format", offlineModel, "wrongformat", false, demo, true, "speech"},
		{"voice hangs", offlineModel.with(settings{"TURN_TIMEOUT": "1s"}), "hang", false, demo, true, "speech"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, once, tt.env, settings{"FAKE_KNOBS": tt.knobs})
			ana := b.user(t)
			if tt.voice {
				ana.speaks(recording(t, "hi"))
			} else {
				ana.writes("hi")
			}
			m := ana.gets()
			require.Equal(t, "text", m.Type)
			if tt.prefix {
				require.Contains(t, m.Text, tt.says)
			} else {
				require.Equal(t, tt.says, m.Text)
			}
			b.logs("turn.finished", 1)
			fallbacks := b.events("turn.fallback")
			require.Len(t, fallbacks, 1)
			require.Equal(t, tt.reason, fallbacks[0].str("reason"))
			b.idle()
			require.Len(t, b.sim.Outbound(ana.id), 1, "one apology, or none")
			require.Zero(t, b.sim.Counts().Uploads)
		})
	}
}

// TestOutagePasses: the next message is answered as if nothing had been.
func TestOutagePasses(t *testing.T) {
	t.Parallel()
	b := start(t, once, settings{"FAKE_KNOBS": "error=transient:1"})
	ana := b.user(t)
	ana.speaks(recording(t, "one")) // the ear's first call
	ana.reads(fallback)
	ana.speaks(recording(t, "two")) // the model's first call
	ana.reads(fallback)
	ana.writes("three") // the voice's first call
	ana.reads("You said: three")
	ana.writes("four")
	ana.hears("You said: four")
	ana.thatWasAll()
}

func TestFallbackMessageIsASetting(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "error=transient", "FALLBACK_MESSAGE": "Ahora mismo no puedo."})
	ana := b.user(t)
	ana.writes("hi")
	ana.reads("Ahora mismo no puedo.")
}
