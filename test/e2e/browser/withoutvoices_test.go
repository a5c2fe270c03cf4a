package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWithoutVoicesTheBotWrites runs on a machine that has none of the offline
// engines: an empty folder is all the playground may look for programs in.
func TestWithoutVoicesTheBotWrites(t *testing.T) {
	t.Parallel()
	ground, err := launch(t.TempDir(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ground.stop()) })
	w := newTab(t, desktop)
	w.show(ground, "")
	p := w.phone(value[string](w, `document.querySelector("[data-testid=phone]").dataset.user`))

	p.do(chromedp.WaitVisible(chromedp.CSS(`[data-testid=notices]`)))
	notices := value[string](w, `document.querySelector("[data-testid=notices]").innerText`)
	for _, part := range []string{"apt-get install", "pocketsphinx", "flite", "espeak-ng", "opus-tools", "answers are text", "cannot be heard"} {
		require.Contains(t, notices, part)
		require.Contains(t, ground.stdout.text(), part, "the terminal says it too")
	}

	p.write("Purple submarine")
	first := ground.message(t, p.user, p.answerID(answers, 1))
	require.Equal(t, "text", first.Type)
	require.Contains(t, first.Text, "Purple submarine")

	recording, err := speak(t.TempDir(), "question", spokenInFile)
	require.NoError(t, err)
	p.attach(recording, "send-as-voice")
	second := ground.message(t, p.user, p.answerID(answers, 2))
	require.Equal(t, "text", second.Type)
	require.Contains(t, second.Text, "can't listen to voice messages")
}
