package deployments_test

import (
	"debug/elf"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/deployments"
)

// TestImageWithoutABuilder runs the Dockerfile's own build command, and starts what it
// makes as the image does: as nobody, in a root with nothing in it but its data folder.
func TestImageWithoutABuilder(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole program")
	}
	for _, needed := range []string{"pkg-config", "gcc"} {
		_, err := exec.LookPath(needed)
		require.NoError(t, err, "%s is missing; .ci/packages test installs it", needed)
	}
	files, err := deployments.Load(root)
	require.NoError(t, err)
	command, err := deployments.BuildCommand(files)
	require.NoError(t, err)
	empty := t.TempDir()
	require.NoError(t, os.Chmod(empty, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(empty, "data"), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(empty, "data"), 0o777))
	binary := filepath.Join(empty, "whatsapp-node")
	build := exec.Command("sh", "-c", strings.ReplaceAll(command, "/out/whatsapp-node", binary))
	build.Dir, build.Env = root, append(os.Environ(), "VERSION=checked")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	file, err := elf.Open(binary)
	require.NoError(t, err)
	defer file.Close()
	for _, p := range file.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "the binary wants a loader that the image does not have")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)

	version, err := exec.Command(binary, "version").Output()
	require.NoError(t, err)
	require.Equal(t, "checked\n", string(version))
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory; the rest needs it, and CI is root")
	}
	startInEmptyRoot(t, empty)
}

func startInEmptyRoot(t *testing.T, empty string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	env := []string{
		"STORE_PATH=/data/whatsapp-node.db", "LISTEN_ADDR=" + addr, "ADMIN_ADDR=off",
		"WHATSAPP_ACCESS_TOKEN=token", "WHATSAPP_APP_SECRET=secret", "WHATSAPP_VERIFY_TOKEN=word", "WHATSAPP_PHONE_NUMBER_ID=106500000000001",
		"LLM_PROVIDER=fake", "STT_PROVIDER=fake", "TTS_PROVIDER=fake",
	}
	confined := &syscall.SysProcAttr{Chroot: empty, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}, Pdeathsig: syscall.SIGKILL}
	var log strings.Builder
	bot := exec.Command("/whatsapp-node")
	bot.Dir, bot.Env, bot.SysProcAttr, bot.Stdout, bot.Stderr = "/", env, confined, &log, &log
	require.NoError(t, bot.Start())
	ended := make(chan error, 1)
	go func() { ended <- bot.Wait() }()
	t.Cleanup(func() { _ = bot.Process.Kill() })

	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	ready := func() bool {
		resp, err := client.Get("http://" + addr + "/ready")
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}
	require.Eventually(t, ready, 30*time.Second, 20*time.Millisecond, "it does not become ready")

	// The image's own health check, in the same empty root.
	health := exec.Command("/whatsapp-node", "healthcheck")
	health.Dir, health.Env, health.SysProcAttr = "/", env, confined
	out, err := health.CombinedOutput()
	require.NoError(t, err, "%s", out)

	stat, err := os.Stat(filepath.Join(empty, "data", "whatsapp-node.db"))
	require.NoError(t, err)
	require.EqualValues(t, 65532, stat.Sys().(*syscall.Stat_t).Uid)
	require.NoError(t, bot.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-ended:
		require.NoError(t, err, "%s", log.String())
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	require.Contains(t, log.String(), `"version":"checked"`)
}
