package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is a headless Chromium whose microphone plays a file.
type browser struct {
	ctx      context.Context
	forget   []context.CancelFunc
	speaking time.Duration // how long one records to have all of the file
}

// startBrowser starts Chromium with an empty profile. Nothing in it calls home.
func startBrowser(dir string) (*browser, error) {
	microphone, length, err := speakAtMicrophone(dir)
	if err != nil {
		return nil, err
	}
	profile := filepath.Join(dir, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return nil, err
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options,
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(profile), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", microphone+"%noloop"),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		// The process for sound has a sandbox of its own that cannot read the file.
		chromedp.Flag("disable-features", "Translate,AudioServiceSandbox,OptimizationHints,MediaRouter"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	b := &browser{speaking: length}
	allocator, forget := chromedp.NewExecAllocator(context.Background(), options...)
	b.forget = append(b.forget, forget)
	b.ctx, forget = chromedp.NewContext(allocator)
	b.forget = append(b.forget, forget)
	if err := chromedp.Do(b.ctx); err != nil {
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return b, nil
}

// stop closes the browser and waits for its process.
func (b *browser) stop() error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Cancel(ctx)
	for i := len(b.forget) - 1; i >= 0; i-- {
		b.forget[i]()
	}
	if err != nil {
		return fmt.Errorf("close chromium: %w", err)
	}
	return nil
}

// complaints collects what a page must not do: errors in the console, uncaught
// exceptions, requests that fail, things the content security policy forbids.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func (c *complaints) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.all...)
}

// watch is called for every event of a tab.
func (c *complaints) watch(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" || ev.Type == "assert" || ev.Type == "warning" {
			c.add("console.%s: %s", ev.Type, arguments(ev.Args))
		}
	case *runtime.EventExceptionThrown:
		d := ev.ExceptionDetails
		text := d.Text
		if d.Exception != nil {
			text += " " + d.Exception.Description
		}
		c.add("exception at %s:%d: %s", d.URL, d.LineNumber, text)
	case *cdplog.EventEntryAdded:
		if ev.Entry.Level == cdplog.EntryLevelError {
			c.add("%s error: %s %s", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if d := ev.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			c.add("content security policy: %s forbids %s", d.ViolatedDirective, d.BlockedURL)
		}
	}
}

func arguments(args []*runtime.RemoteObject) (text string) {
	for _, a := range args {
		if a.Description != "" {
			text += a.Description + " "
		} else {
			text += string(a.Value) + " "
		}
	}
	return text
}

// size of a tab's window, in CSS pixels.
type size struct {
	width, height int64
	phone         bool // a touch screen with three pixels to one
}

var (
	desktop = size{width: 1280, height: 800}
	pocket  = size{width: 390, height: 844, phone: true}
)

// newTab opens a tab that shares nothing with the others. It has the focus, as far
// as the page can tell, and is closed at the end of the test, which fails if the
// page complained.
func newTab(t *testing.T, s size) *tab {
	t.Helper()
	require.NoError(t, shared.start())
	w := &tab{t: t, complaints: &complaints{}}
	ctx, closeTab := chromedp.NewContext(shared.browser.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.complaints.watch))
	w.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			w.report()
		}
		closeTab()
		if !w.mayComplain {
			assert.Empty(t, w.complaints.list(), "the page complained")
		}
	})
	options := []chromedp.EmulateViewportOption{}
	if s.phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(3))
	}
	// The first call of a tab must not have a deadline: the tab would end with it.
	require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, audits.Enable, cdp.Empty{})
		_, focus := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return errors.Join(err, focus)
	}), chromedp.EmulateViewport(s.width, s.height, options...)))
	return w
}
