package settings_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/settings"
)

// rewrite replaces the content with a time of its own, since two writes may fall
// into one tick of the file system's clock.
func rewrite(t *testing.T, path, content string, at int) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	stamp := time.Date(2030, 1, 1, 0, 0, at, 0, time.UTC)
	require.NoError(t, os.Chtimes(path, stamp, stamp))
}

// looks waits for the look that notices a change and for the one that takes it.
func looks(sources ...settings.Source) {
	for range 2 {
		time.Sleep(time.Second)
		for _, s := range sources {
			_ = s.Current()
		}
	}
}

func TestSourceFollowsItsFile(t *testing.T) {
	path := file(t, "first\n")
	synctest.Test(t, func(t *testing.T) {
		s, err := settings.NewFileSource(path)
		require.NoError(t, err)
		held := s
		assert.Equal(t, "first", s.Current())
		rewrite(t, path, "other,first\n", 1)
		assert.Equal(t, "first", s.Current(), "it looks at most once a second")
		looks(s)
		assert.Equal(t, "other,first", s.Current())
		assert.Equal(t, "other,first", held.Current(), "copies share the value")
		require.Len(t, s.Secrets(), 2)
		assert.Equal(t, "first", s.Secrets()[1].Reveal())

		rewrite(t, path, "", 2)
		time.Sleep(time.Second)
		assert.Equal(t, "other,first", s.Current(), "an empty file does not take the secret away")
		require.Error(t, s.Err())
		assert.NotContains(t, s.Err().Error(), filepath.Base(filepath.Dir(path)))
		require.NoError(t, os.Remove(path))
		time.Sleep(time.Second)
		assert.Equal(t, "other,first", s.Current())
		assert.Error(t, s.Err())
		rewrite(t, path, "other", 3)
		looks(s)
		assert.Equal(t, "other", s.Current())
		assert.NoError(t, s.Err())
		assert.EqualValues(t, 2, s.Changes())
		assert.True(t, s.Followed())
	})
}

// TestSourceLeavesAHalfWrittenFileAlone: a writer that has not finished by one look
// has by the next, and what it wrote first is never used.
func TestSourceLeavesAHalfWrittenFileAlone(t *testing.T) {
	path := file(t, "first")
	synctest.Test(t, func(t *testing.T) {
		s, err := settings.NewFileSource(path)
		require.NoError(t, err)
		for at, part := range []string{"sec", "second", "second and la", "second and last"} {
			rewrite(t, path, part, at+1)
			time.Sleep(time.Second)
			assert.Equal(t, "first", s.Current(), "it has just changed")
			assert.Zero(t, s.Changes())
		}
		time.Sleep(time.Second)
		assert.Equal(t, "second and last", s.Current())

		rewrite(t, path, "second and last", 9)
		looks(s)
		assert.EqualValues(t, 1, s.Changes(), "the same content is no change")
		rewrite(t, path, "thi", 10)
		time.Sleep(time.Second)
		assert.Equal(t, "second and last", s.Current())
		require.NoError(t, os.Remove(path))
		time.Sleep(time.Second)
		assert.Equal(t, "second and last", s.Current())
		rewrite(t, path, "thi", 10)
		time.Sleep(time.Second)
		assert.Equal(t, "second and last", s.Current(), "it is new again")
		time.Sleep(time.Second)
		assert.Equal(t, "thi", s.Current())
	})
}

func TestSourceFromLoad(t *testing.T) {
	path := file(t, "first")
	synctest.Test(t, func(t *testing.T) {
		var c config
		require.NoError(t, settings.Load(env("WHATSAPP_ACCESS_TOKEN", "t", "A_API_KEY", "k", "WHATSAPP_APP_SECRET_FILE", path), &c))
		assert.Equal(t, "first", c.AppSecret.Current())
		looks(c.AppSecret)
		rewrite(t, path, "second", 1)
		looks(c.AppSecret)
		assert.Equal(t, "second", c.AppSecret.Current())
	})
}

func TestSourceSwappedByLink(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "aaaa", "b": "bbbb"} {
		rewrite(t, filepath.Join(dir, name), content, 0) // same size, same time
	}
	link := filepath.Join(dir, "current")
	require.NoError(t, os.Symlink("a", link))
	synctest.Test(t, func(t *testing.T) {
		s, err := settings.NewFileSource(link)
		require.NoError(t, err)
		require.NoError(t, os.Remove(link))
		require.NoError(t, os.Symlink("b", link))
		looks(s)
		assert.Equal(t, "bbbb", s.Current(), "mounted secrets are swapped by a link")
	})
}

func TestSourceConcurrently(t *testing.T) {
	path := file(t, "first")
	synctest.Test(t, func(t *testing.T) {
		s, err := settings.NewFileSource(path)
		require.NoError(t, err)
		rewrite(t, path, "second", 1)
		looks(s)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { assert.Contains(t, []string{"first", "second"}, s.Current()) })
		}
		all.Wait()
		assert.Equal(t, "second", s.Current())
	})
}

func TestSourceWithoutFile(t *testing.T) {
	assert.Equal(t, "v", settings.NewSource("v").Current())
	assert.Empty(t, settings.Source{}.Current())
	assert.NoError(t, settings.Source{}.Err())
	_, err := settings.NewFileSource(filepath.Join(t.TempDir(), "missing"))
	assert.Error(t, err)
}
