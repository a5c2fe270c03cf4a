// Package e2e_test runs the production binary as a child process, with the
// simulated WhatsApp as its only counterparty, over real HTTP on the loopback
// interface. It looks at the program from the outside: at what reached the users'
// phones, at the answers of its listeners, at its log and its exit code.
package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// program is the binary under test, built by TestMain.
var program string

// parallelTests is how many tests run at once unless -parallel says otherwise. They
// wait far more than they compute, so it is above the number of processors.
const parallelTests = "8"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "whatsapp-node-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "whatsapp-node")
	args := []string{"build", "-o", program}
	if underRace {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "whatsappnode/cmd/whatsapp-node")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the binary: %v\n%s", err, out)
		return 1
	}
	before := runtime.NumGoroutine()
	code := m.Run()
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
