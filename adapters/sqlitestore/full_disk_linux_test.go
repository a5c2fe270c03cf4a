package sqlitestore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// diskEnv holds the folder on which the child process mounts its small disk.
const diskEnv = "SQLITESTORE_DISK"

// TestFullDisk runs the store on a file system of 8 MiB. It is mounted by a child
// process in a mount namespace of its own, so that it goes when the child goes.
func TestFullDisk(t *testing.T) {
	if disk := os.Getenv(diskEnv); disk != "" {
		require.NoError(t, syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
		require.NoError(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"))
		fullDisk(t, disk)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), diskEnv+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("no mount namespace can be made here (%v); TestFullDatabaseRecovers covers a store without room", err)
	}
	err := cmd.Wait()
	t.Log(out.String())
	require.NoError(t, err)
}

func fullDisk(t *testing.T, disk string) {
	path := filepath.Join(disk, "bot.db")
	ballast := filepath.Join(disk, "ballast")

	require.NoError(t, os.WriteFile(ballast, make([]byte, 4<<20), 0o600))
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	require.NoError(t, err)
	taken := fill(t, s, "a")
	assert.NotEmpty(t, taken)
	assert.Equal(t, ports.KindTransient, ports.KindOf(func() error { _, err := s.Admit(t.Context(), []domain.Message{big("b")}); return err }()))

	require.NoError(t, os.Remove(ballast))
	_, err = s.Admit(t.Context(), []domain.Message{big("b")})
	require.NoError(t, err, "there is room again, and nobody restarted anything")
	holds(t, s, append(taken, big("b").ID))
	require.NoError(t, s.Ping(t.Context()))

	require.NoError(t, s.Close(), "a full disk is no reason not to stop")
	require.ErrorIs(t, os.WriteFile(ballast, make([]byte, 8<<20), 0o600), syscall.ENOSPC)
	s, err = sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	if err == nil {
		require.NoError(t, s.Close())
	}
	require.Error(t, err, "a disk without room is refused at the start")
	t.Log(err)
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "full")

	require.NoError(t, os.Remove(ballast))
	s, err = sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	require.NoError(t, err)
	holds(t, s, append(taken, big("b").ID))
	assert.NoError(t, s.Close())
}
