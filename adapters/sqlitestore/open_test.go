package sqlitestore_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestOpenMakesFolderAndPrivateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "with #odd?%20 name", "bot.db")
	s := open(t, sqlitestore.Options{Path: path})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	dir, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), dir.Mode().Perm())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		info, err := f.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
	assert.Equal(t, []string{"bot.db", "bot.db-shm", "bot.db-wal", "bot.db.lock"}, names, "the name is taken literally")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is harmless")
}

func TestOpenRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    []string
	}{
		"a file that is no database": {
			func(t *testing.T, path string) {
				require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600))
			},
			[]string{"damaged", "restore"},
		},
		"a damaged database": {
			func(t *testing.T, path string) {
				s := open(t, sqlitestore.Options{Path: path})
				for i := range 50 {
					_, err := s.Admit(t.Context(), []domain.Message{textFrom(i, strings.Repeat("x", i))})
					require.NoError(t, err)
				}
				require.NoError(t, s.Close())
				f, err := os.OpenFile(path, os.O_RDWR, 0)
				require.NoError(t, err)
				info, err := f.Stat()
				require.NoError(t, err)
				_, err = f.WriteAt([]byte(strings.Repeat("\xff", int(info.Size())-8192)), 8192)
				require.NoError(t, err)
				require.NoError(t, f.Close())
			},
			[]string{"damage", "restore"},
		},
		"a newer schema": {
			func(t *testing.T, path string) {
				require.NoError(t, open(t, sqlitestore.Options{Path: path}).Close())
				execRaw(t, path, `UPDATE schema_version SET version = 99`)
			},
			[]string{"newer release", "schema 99"},
		},
		"another program's database": {
			func(t *testing.T, path string) { execRaw(t, path, `CREATE TABLE songs (title TEXT)`) },
			[]string{"another program", "choose another path"},
		},
		"a folder in the file's place": {
			func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
			[]string{"directory"},
		},
		"a file in the folder's place": {
			func(t *testing.T, path string) {
				require.NoError(t, os.Remove(filepath.Dir(path)))
				require.NoError(t, os.WriteFile(filepath.Dir(path), nil, 0o600))
			},
			[]string{"not a directory"},
		},
		"a folder nobody can write": {
			func(t *testing.T, path string) {
				if os.Geteuid() == 0 {
					t.Skip("the superuser can write everywhere; TestFullDisk covers what it cannot")
				}
				require.NoError(t, os.Chmod(filepath.Dir(path), 0o500))
			},
			[]string{"permission denied", "writable"},
		},
		"a store that is open already": {
			func(t *testing.T, path string) { open(t, sqlitestore.Options{Path: path}) },
			[]string{"another process", "path of its own"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store", "bot.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			tc.prepare(t, path)
			s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
			if err == nil {
				require.NoError(t, s.Close())
			}
			require.Error(t, err)
			t.Log(err)
			for _, want := range append(tc.want, path) {
				assert.ErrorContains(t, err, want)
			}
		})
	}
	_, err := sqlitestore.Open(t.Context(), sqlitestore.Options{})
	assert.ErrorContains(t, err, "no path")
}

func execRaw(t *testing.T, path, statement string) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestFailedOpenLeavesNothingLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600))
	_, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	require.Error(t, err)
	require.NoError(t, os.Remove(path))
	open(t, sqlitestore.Options{Path: path})
}

// A lease of the process before is void at once: only one process owns the file.
func TestReopenVoidsLeases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	now := time.Unix(1_800_000_000, 0)
	opt := sqlitestore.Options{Path: path, Clock: func() time.Time { return now }}
	s := open(t, opt)
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	old, err := s.Lease(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s = open(t, opt) // no time has passed
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	again, err := s.Lease(ctx)
	require.NoError(t, err)
	assert.Len(t, again.Pending, 1)
	assert.Greater(t, again.Lease.Token, old.Lease.Token)
	assert.ErrorIs(t, s.Release(t.Context(), old.Lease), ports.ErrLeaseLost)
}
