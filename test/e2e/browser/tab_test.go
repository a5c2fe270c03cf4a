package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// tab is a tab of the browser with the playground's page in it.
type tab struct {
	t           *testing.T
	ctx         context.Context
	ground      *playground
	complaints  *complaints
	mayComplain bool // the test makes the page complain
}

// show opens the page, at the people of the hash, and waits until it is in touch
// with the simulator.
func (w *tab) show(ground *playground, hash string) {
	w.t.Helper()
	w.ground = ground
	w.do(chromedp.Navigate(ground.url + "/#" + hash))
	w.until("the page is ready", `document.body.dataset.ready === "true"`)
}

func (w *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	require.NoError(w.t, chromedp.Do(ctx, steps...))
}

// until waits until a JavaScript expression is true.
func (w *tab) until(what, expression string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(
		`(async () => { while (!(%s)) await new Promise((next) => setTimeout(next, 25)); return true; })()`, expression), chromedp.EvalAwaitPromise))
	require.NoError(w.t, err, "waited in vain for: %s\n%s", what, expression)
}

// value evaluates a JavaScript expression.
func value[T any](w *tab, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(w.t, err, expression)
	return v
}

func (w *tab) click(css string) { w.t.Helper(); w.do(chromedp.Click(chromedp.CSS(css))) }

// press presses keys, on whatever has the focus.
func (w *tab) press(keys string, options ...chromedp.KeyOption) {
	w.t.Helper()
	w.do(chromedp.KeyEvent(keys, options...))
}

// focus is a JavaScript expression: a thing with a test id has the focus.
func focus(testID string) string {
	return `document.activeElement?.dataset.testid === "` + testID + `"`
}

// tabTo presses the Tab key until something has the focus.
func (w *tab) tabTo(testID string) { w.t.Helper(); w.walk(focus(testID)) }

// maxTabs is more than the page has places for the focus.
const maxTabs = 80

// walk presses the Tab key, with Shift if wanted, until an expression is true.
func (w *tab) walk(expression string, options ...chromedp.KeyOption) {
	w.t.Helper()
	var passed []string
	for range maxTabs {
		w.press(kb.Tab, options...)
		if value[bool](w, expression) {
			return
		}
		passed = append(passed, value[string](w, `document.activeElement?.dataset.testid ?? document.activeElement?.getAttribute("aria-label") ?? ""`))
	}
	w.t.Fatalf("the Tab key does not lead to %s but to %q", expression, passed)
}

// complains waits until the page has complained in certain words.
func (w *tab) complains(words string) {
	w.t.Helper()
	limit := time.Now().Add(patience)
	for !strings.Contains(strings.Join(w.complaints.list(), "\n"), words) {
		require.True(w.t, time.Now().Before(limit), "nobody noticed %s: %q", words, w.complaints.list())
		time.Sleep(10 * time.Millisecond)
	}
}

// report leaves a picture and the text of the page behind for whoever looks into a
// failure. go test -artifacts keeps the picture.
func (w *tab) report() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), patience)
	defer cancel()
	if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		path := filepath.Join(w.t.ArtifactDir(), "page.png")
		if os.WriteFile(path, picture, 0o600) == nil {
			w.t.Logf("the page looked like %s", path)
		}
	}
	if text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`)); err == nil {
		w.t.Logf("the page said:\n%s", text)
	}
	if w.ground != nil {
		w.t.Logf("the playground's output ends with:\n%s", w.ground.tail())
	}
}
