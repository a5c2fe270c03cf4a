package bot_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

func TestCollectorIsLazyWhileLittleIsInUse(t *testing.T) {
	const mb = 1 << 20
	for name, c := range map[string]struct{ heap, stacks, scanned, want uint64 }{
		"nothing known":        {0, 0, 0, 500},
		"idle":                 {4, 1, 0, 500},
		"a thousand turns":     {50, 60, 18, 367},
		"thousands of turns":   {130, 160, 80, 33},
		"no room for more":     {160, 200, 120, 10},
		"far more than a room": {2048, 2048, 2048, 10},
	} {
		require.EqualValues(t, c.want, bot.CollectionPercent(c.heap*mb, c.stacks*mb, c.scanned*mb, 360*mb), name)
		if c.heap > 0 && c.want > 10 && c.want < 500 {
			grown := c.heap + (c.heap+c.scanned)*c.want/100 // the goal of the runtime, by its documentation
			require.InDelta(t, 360, grown+c.stacks, 3, name)
		}
	}
}

func TestRoomIsLessThanTheLimit(t *testing.T) {
	const mb = 1 << 20
	require.EqualValues(t, 270*mb, bot.MemoryRoom(360*mb, 64<<30), "the machine does not matter then")
	require.EqualValues(t, 0, bot.MemoryRoom(0, 64<<30), "a limit of nothing is one")
	require.EqualValues(t, 1024*mb, bot.MemoryRoom(math.MaxInt64, 64<<30))
	require.EqualValues(t, 500*mb, bot.MemoryRoom(math.MaxInt64, 2000*mb))
	require.EqualValues(t, 256*mb, bot.MemoryRoom(math.MaxInt64, 512*mb))
	require.EqualValues(t, 256*mb, bot.MemoryRoom(math.MaxInt64, 0), "a machine that does not tell")
}
