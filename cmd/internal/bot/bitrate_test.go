package bot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

func TestBitRateLetsTheLongestAnswerPlay(t *testing.T) {
	for chars, want := range map[int]int{1: 24_000, 1500: 24_000, 3000: 15_000, 4000: 12_000, 20_000: 12_000} {
		got := bot.BitRate(chars)
		require.Equal(t, want, got, chars)
		if want > 12_000 {
			require.LessOrEqual(t, got/8*(chars/12), 512<<10, "it has a play button")
		}
	}
}
