package bot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

func TestCollectorIsLazyWhileLittleIsInUse(t *testing.T) {
	const mb = 1 << 20
	for used, want := range map[uint64]int{0: 500, 5 * mb: 500, 80 * mb: 380, 160 * mb: 140, 256 * mb: 50, 300 * mb: 28, 384 * mb: 20, 4096 * mb: 20} {
		require.Equal(t, want, bot.CollectionPercent(used), used/mb)
	}
}
