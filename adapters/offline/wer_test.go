package offline_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/offline"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// sentences are what customers write to a shop.
var sentences = []string{
	"I would like to know when my order will arrive",
	"Can you tell me the opening hours for Saturday",
	"My package was damaged and I want my money back",
	"Please send me the price list for next year",
	"I need to change the delivery address",
	"Thank you very much for your help today",
	"How long does it take to repair a broken phone",
	"I am calling because the invoice is wrong",
	"Do you have this jacket in a larger size",
	"Please cancel my appointment on Monday morning",
}

// TestTheEarUnderstandsTheVoice measures the word error rate over the whole path:
// flite, opusenc at 24 kbit/s, the Go decoder, pocketsphinx. The bound is far above
// what is measured and far below what a broken link in the path gives.
func TestTheEarUnderstandsTheVoice(t *testing.T) {
	voice, err := offline.NewTTS(offline.Config{LookPath: exec.LookPath})
	require.NoError(t, err)
	ear, err := offline.NewSTT(offline.Config{LookPath: exec.LookPath})
	require.NoError(t, err)
	words, wrong, perfect := 0, 0, 0
	for _, s := range sentences {
		clip, err := voice.Synthesize(t.Context(), s, ports.TTSOptions{Format: domain.MIMEOggOpus, Language: "en"})
		require.NoError(t, err)
		heard, err := ear.Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"en"}})
		require.NoError(t, err)
		want, got := strings.Fields(strings.ToLower(s)), strings.Fields(strings.ToLower(heard.Text))
		d := distance(want, got)
		t.Logf("%d %q", d, heard.Text)
		words, wrong = words+len(want), wrong+d
		if d == 0 {
			perfect++
		}
	}
	t.Logf("word error rate %d of %d, %.0f %%; %d of %d sentences perfect", wrong, words, 100*float64(wrong)/float64(words), perfect, len(sentences))
	assert.Less(t, float64(wrong)/float64(words), 0.2)
}

// distance is the number of words to insert, delete or replace.
func distance(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
