package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// keeper is a store that a test can look at from outside.
type keeper struct {
	name   string
	sealed bool
	env    settings
	redis  *redisserver.Server // nil for the embedded store
	dir    string              // where it writes
}

func keepers(t *testing.T) []keeper {
	t.Helper()
	key := settings{"STORE_KEY": base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))}
	var out []keeper
	for _, sealed := range []bool{false, true} {
		name, env := "plain", settings{}
		if sealed {
			name, env = "sealed", key
		}
		dir := t.TempDir()
		out = append(out, keeper{name: "embedded " + name, sealed: sealed, dir: dir, env: env.with(settings{"STORE_PATH": filepath.Join(dir, "bot.db")})})
		// Without compression, so that the files hide no words.
		redis := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always", Args: []string{"--rdbcompression", "no"}})
		at, err := redis.CLI("CONFIG", "GET", "dir")
		require.NoError(t, err)
		dir = at[strings.LastIndexByte(strings.TrimSpace(at), '\n')+1:]
		out = append(out, keeper{name: "redis " + name, sealed: sealed, redis: redis, dir: strings.TrimSpace(dir), env: env.with(settings{"REDIS_URL": redis.URL()})})
	}
	return out
}

// bytes are all the store has written, in all its files.
func (k keeper) bytes(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // a log that was rewritten goes by itself
		}
		all.Write(data)
		return err
	}))
	return all.String()
}

// compact makes Redis write its log anew, as an operator does after an erasure.
func (k keeper) compact(t *testing.T) {
	t.Helper()
	if k.redis == nil {
		return
	}
	_, err := k.redis.CLI("BGREWRITEAOF")
	require.NoError(t, err)
	eventually(t, "the log is rewritten", func() bool {
		info, err := k.redis.CLI("INFO", "persistence")
		return err == nil && strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	eventually(t, "the former log is gone", func() bool {
		logs, err := filepath.Glob(filepath.Join(k.dir, "appendonlydir", "*.aof"))
		return err == nil && len(logs) <= 2
	})
}

// shown counts how many of the markers the store shows.
func shown(all string, marks []string) (n int) {
	for _, m := range marks {
		if strings.Contains(all, m) {
			n++
		}
	}
	return n
}

// TestErasureLeavesNoTrace lives with a person, hands out what is stored about them,
// forgets them, and reads every byte of the store's files, the log and the metrics.
// Somebody else stays, so that the files are known to be read.
func TestErasureLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, k := range keepers(t) {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := prepareAs(t, account{accessToken, appSecret, verifyToken}, k.env, settings{"ADMIN_ADDR": freeAddress(t)})
			b.restart()
			zephyrine := b.user(t, simulator.UserSpec{Name: markName, Phone: markPhone, UserID: markUserID, Username: markUsername})
			luis := b.user(t, simulator.UserSpec{Name: "Luis Testigo"})
			for range 2 {
				zephyrine.writes(markText)
				zephyrine.gets()
				zephyrine.speaks(recording(t, markTranscript))
				zephyrine.gets()
				luis.writes("luis-stays-here")
				luis.gets()
			}
			b.faults(func(f *simulator.Faults) {
				f.ErrorByRecipient[markPhone] = simulator.RecipientError{Code: 131026, Times: 1}
			})
			zephyrine.writes(markText)
			b.wait(t, "the send is refused", func(v simulator.Snapshot) bool { return v.Counts().Refused == 1 })
			b.faults(noFaults)
			b.idle()
			metrics := b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/metrics").body
			b.stop() // the embedded store belongs to one process

			marks := []string{markPhone, markName, "Zephyrine", markUserID, markText, markTranscript}
			for _, m := range b.sim.Messages(zephyrine.id) {
				marks = append(marks, m.ID)
			}
			for _, m := range marks {
				marks = append(marks, base64.StdEncoding.EncodeToString([]byte(m)))
			}
			before := k.bytes(t)
			if k.sealed {
				clean(t, "the sealed store", before, append(marks, "luis-stays-here", luis.card().Phone))
			} else {
				require.GreaterOrEqual(t, shown(before, marks), 8, "the bytes that are read are those of the store")
			}

			export := invoke(t, b.env, "export", "+"+markPhone)
			require.Zero(t, export.code, export.stderr)
			var doc struct{ Conversations []any }
			require.NoError(t, json.Unmarshal([]byte(export.stdout), &doc))
			assert.Len(t, doc.Conversations, 1)
			for _, m := range []string{markPhone, markName, markUserID, markText, markTranscript} {
				assert.Contains(t, export.stdout, m, "the export is whole")
			}
			assert.NotContains(t, export.stdout, "luis-stays-here")

			erase := invoke(t, b.env, "erase", markUserID, "--yes", "--json")
			require.Zero(t, erase.code, erase.stderr)
			assert.Contains(t, erase.stdout, `"erased": true`)
			k.compact(t)
			after := k.bytes(t)
			clean(t, "the store", after, marks)
			if !k.sealed {
				assert.Contains(t, after, "luis-stays-here")
			}
			clean(t, "the receipt", erase.stdout+erase.stderr, marks)

			// Nothing of it comes back with a start, or with what others do.
			b.restart()
			luis.writes("luis-stays-here")
			luis.gets()
			b.idle()
			b.stop()
			clean(t, "the store", k.bytes(t), marks)
			clean(t, "the metrics", metrics, marks)
			clean(t, "stdout", b.stdout.text(), marks)
			clean(t, "stderr", b.stderr.text(), marks)
			again := invoke(t, b.env, "export", markUserID)
			require.Zero(t, again.code, again.stderr)
			assert.Contains(t, again.stdout, `"conversations":[]`)
		})
	}
}

// TestKeyOfTheStore: a start without the right key is refused, and a rotation is not.
func TestKeyOfTheStore(t *testing.T) {
	t.Parallel()
	secret := func(c string) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(c, 32))) }
	for _, k := range keepers(t) {
		if !k.sealed {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, k.env, settings{"STORE_KEY": secret("a")})
			ana := b.user(t)
			ana.writes("one")
			ana.gets()
			b.idle()
			b.stop()
			for what, env := range map[string]settings{"no key": {"STORE_KEY": ""}, "another": {"STORE_KEY": secret("b")}} {
				refused := invoke(t, b.env.with(env))
				assert.NotZero(t, refused.code, what)
				assert.Contains(t, refused.stderr, "STORE_KEY", what)
				assert.NotContains(t, refused.stderr, secret("b"))
			}
			malformed := invoke(t, b.env.with(settings{"STORE_KEY": "short"}))
			assert.Equal(t, exitSettings, malformed.code)
			assert.Contains(t, malformed.stderr, "STORE_KEY must be 32 random bytes in base64")

			rotation := settings{"STORE_KEY": "", "STORE_KEYS": "new:" + secret("b") + ",old:" + secret("a")}
			resealed := invoke(t, b.env.with(rotation), "reseal")
			require.Zero(t, resealed.code, resealed.stderr)
			b.restart(settings{"STORE_KEY": "", "STORE_KEYS": "new:" + secret("b")})
			ana.writes("two")
			ana.gets()
			export := invoke(t, b.env.with(rotation), "export", ana.card().UserID)
			if k.redis != nil {
				assert.Contains(t, export.stdout, "one", "what the former key sealed is read with the new one")
			} else {
				assert.NotZero(t, export.code, "the store belongs to the process that runs")
			}
		})
	}
}
