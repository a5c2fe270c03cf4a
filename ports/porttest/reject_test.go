package porttest_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// brokenEnv names the broken adapter that a child process runs its suite on.
const brokenEnv = "PORTTEST_BROKEN"

// rejects proves a suite: it runs each broken adapter's suite in a process of its
// own, because a test cannot fail on purpose inside a passing one and a broken
// adapter may hang or panic, and demands that the named rule is what failed.
//
// cases maps the name of a broken adapter to the sub-test that must catch it, and
// run calls the suite with that adapter.
func rejects(t *testing.T, cases map[string]string, run func(t *testing.T, name string)) {
	t.Helper()
	if name := os.Getenv(brokenEnv); name != "" {
		if _, mine := cases[name]; !mine {
			t.Skip("another suite's broken adapter is under test")
		}
		run(t, name)
		return
	}
	for name, rule := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a process of its own each; as many at once as there are CPUs
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			parent, _, _ := strings.Cut(t.Name(), "/")
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+parent+"$", "-test.count=1", "-test.timeout=60s", "-test.v")
			cmd.Env = append(os.Environ(), brokenEnv+"="+name)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err == nil {
				t.Fatalf("the suite accepted the broken adapter %q", name)
			}
			if !strings.Contains(out.String(), "--- FAIL: "+parent+"/"+rule) {
				t.Fatalf("the broken adapter %q was rejected, but not by %q:\n%s", name, rule, out.String())
			}
		})
	}
}
