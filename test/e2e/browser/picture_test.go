package browser_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// picture is where TestPicture puts the README's picture:
//
//	go test ./test/e2e/browser -run TestPicture -picture=../../../docs/pictures/playground.png
var picture = flag.String("picture", "", "make the README's picture of the page in this file")

// maxPicture keeps the repository small.
const maxPicture = 250 << 10

func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("only with -picture")
	}
	ground := theGround(t)
	w := newTab(t, desktop)
	w.show(ground, "")
	p := w.phone(value[string](w, `document.querySelector("[data-testid=phone]").dataset.user`))
	p.write("Hello! When do you open on Saturday?")
	p.note(1)
	p.ticks(notes, "read")
	recording, err := speak(t.TempDir(), "question", spokenInFile)
	require.NoError(t, err)
	p.attach(recording, "send-as-voice")
	id, _ := p.note(2)
	p.ticks(byID(id), "read")
	p.until("the own note is drawn", p.exists(mine+`[data-voice=true] .voice[data-wave=ready]`))
	p.click(p.in(byID(id) + ` [data-testid=voice-play]`))
	p.turnWith("played")
	p.click(p.in(byID(id) + ` [data-testid=voice-play]`))
	p.until("it pauses", p.exists(byID(id)+` .voice[data-state=paused]`))
	p.do(chromedp.MouseClickXY(640, 120)) // no button keeps the pointer's shade
	data, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.LessOrEqual(t, len(data), maxPicture)
	require.NoError(t, os.MkdirAll(filepath.Dir(*picture), 0o755))
	require.NoError(t, os.WriteFile(*picture, data, 0o644))
}
