//go:build unix

package program_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/program"
	"whatsappnode/ports"
)

func sh(script string, input string) program.Call {
	return program.Call{Op: "test.run", Path: "/bin/sh", Args: []string{"-c", script}, Input: []byte(input), Limit: 1000, Over: ports.KindUnsupported}
}

func TestProgramIsFedAndReadAndKnowsNothingOfUs(t *testing.T) {
	t.Setenv("WHATSAPP_ACCESS_TOKEN", "a-secret")
	out, err := program.Run(t.Context(), sh(`cat; pwd; echo "[$WHATSAPP_ACCESS_TOKEN$HOME]"`, "words\n"))
	require.NoError(t, err)
	require.Equal(t, "words\n/\n[/nonexistent]\n", string(out))
}

func TestFailuresOfProgramsHaveTheirKinds(t *testing.T) {
	gone, stop := context.WithCancel(context.Background())
	stop()
	missing := sh("", "")
	missing.Path = "/nonexistent/program"
	for name, c := range map[string]struct {
		ctx  context.Context
		call program.Call
		want ports.Kind
	}{
		"it ends badly":       {t.Context(), sh("cat >&2; exit 3", "words of a person"), ports.KindUnknown},
		"it writes too much":  {t.Context(), sh("head -c 1001 /dev/zero", ""), ports.KindUnsupported},
		"it never stops":      {t.Context(), sh("cat /dev/zero", ""), ports.KindUnsupported},
		"it is not there":     {t.Context(), missing, ports.KindTransient},
		"the caller gave up":  {gone, sh("cat", ""), ports.KindCanceled},
		"nobody waits for it": {gone, missing, ports.KindCanceled},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := program.Run(c.ctx, c.call)
			require.Empty(t, out)
			require.Equal(t, c.want, ports.KindOf(err), err)
			require.NotContains(t, err.Error(), "words of a person")
		})
	}
	out, err := program.Run(t.Context(), sh("head -c 1000 /dev/zero", ""))
	require.NoError(t, err)
	require.Len(t, out, 1000)
}

// TestWhatAProgramStartedEndsWithIt: the child holds a pipe that ends when the child does.
func TestWhatAProgramStartedEndsWithIt(t *testing.T) {
	fifo := t.TempDir() + "/alive"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run(ctx, sh(`mkfifo "`+fifo+`" && touch "`+fifo+`.made" && { sleep 20 > "`+fifo+`" & wait; }`, ""))
		ended <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(fifo + ".made"); return err == nil }, 10*time.Second, time.Millisecond)
	alive, err := os.Open(fifo) // when the child has opened it
	require.NoError(t, err)
	defer alive.Close()
	stop()
	require.Equal(t, ports.KindCanceled, ports.KindOf(<-ended))
	require.NoError(t, alive.SetReadDeadline(time.Now().Add(5*time.Second))) // so that a failure is one
	_, err = alive.Read(make([]byte, 1))
	require.ErrorContains(t, err, "EOF", "nobody writes any more")
}
