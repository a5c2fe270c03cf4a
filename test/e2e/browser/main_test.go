// Package browser_test drives the phone page of the playground in a headless
// Chromium, as a person would: by pointer, keyboard and microphone. Both programs
// are the real ones, and the engines are the offline ones, so a test hears what the
// bot answers with the bot's own ear.
//
// It needs the Debian packages of `make test`: chromium, flite, pocketsphinx,
// pocketsphinx-en-us, opus-tools.
package browser_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"
)

// program is the binary under test, built by TestMain.
var program string

// needed are the programs the tests run, and the packages they come from.
var needed = map[string]string{
	"chromium": "chromium", "flite": "flite", "pocketsphinx_continuous": "pocketsphinx pocketsphinx-en-us",
	"opusinfo": "opus-tools", "opusenc": "opus-tools",
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	missing := map[string]bool{}
	for name, pkg := range needed {
		if _, err := exec.LookPath(name); err != nil {
			missing[pkg] = true
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "the browser tests lack Debian packages: apt-get install %s\n", strings.Join(slices.Sorted(maps.Keys(missing)), " "))
		return 1
	}
	dir, err := os.MkdirTemp("", "playground-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "playground")
	args := []string{"build", "-o", program}
	if underRace {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "whatsappnode/cmd/playground")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the playground: %v\n%s", err, out)
		return 1
	}
	before := runtime.NumGoroutine()
	shared.dir = dir
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code == 0 && !settled(before) {
		fmt.Fprintln(os.Stderr, "the tests left goroutines behind:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	return code
}

// settled waits until no more goroutines run than before. Those of closed
// connections need a moment to notice.
func settled(before int) bool {
	for range 500 {
		if runtime.NumGoroutine() <= before {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
