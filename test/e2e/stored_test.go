package e2e_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// place is a row of the tables in docs/privacy.md, for one column or field.
type place struct{ personal, sealed, hashed bool }

var inTicks = regexp.MustCompile("`([^`]+)`")

// places reads a table of docs/privacy.md: "table.column" or "key field" to what it says.
func places(t *testing.T, heading string) map[string]place {
	t.Helper()
	text, err := os.ReadFile("../../docs/privacy.md")
	require.NoError(t, err)
	_, part, found := strings.Cut(string(text), "\n### "+heading+"\n")
	require.True(t, found)
	part, _, _ = strings.Cut(part, "\n#")
	out := map[string]place{}
	for _, row := range strings.Split(part, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 8 || !strings.Contains(cells[1], "`") {
			continue
		}
		key := inTicks.FindStringSubmatch(cells[1])[1]
		p := place{personal: strings.TrimSpace(cells[4]) == "yes", sealed: strings.TrimSpace(cells[5]) == "sealed", hashed: strings.TrimSpace(cells[5]) == "hash"}
		if p.personal {
			require.True(t, p.sealed || p.hashed, "%s is personal and neither sealed nor hashed", key)
		}
		fields := inTicks.FindAllStringSubmatch(cells[2], -1)
		if len(fields) == 0 {
			out[key] = p
		}
		for _, f := range fields {
			out[key+" "+f[1]] = p
		}
	}
	require.Greater(t, len(out), 20)
	return out
}

// found is what a store holds, by place: every value there is, as text.
type found map[string][]string

func (f found) add(place string, value any) {
	text := fmt.Sprint(value)
	if b, ok := value.([]byte); ok {
		text = string(b)
	}
	f[place] = append(f[place], text)
}

// inFile reads every column of every table.
func inFile(t *testing.T, path string) found {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	out := found{}
	var tables []string
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type IN ('table', 'view')`)
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	for _, table := range tables {
		rows, err := db.Query(`SELECT * FROM ` + table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for _, c := range columns {
			out[table+" "+c] = nil
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for i, c := range columns {
				out.add(table+" "+c, values[i])
			}
		}
		require.NoError(t, rows.Err())
	}
	return out
}

// The forms of keys and of fields whose names are of many.
var (
	keyForms = []struct {
		form *regexp.Regexp
		name string
	}{
		{regexp.MustCompile(`^\{wa:meta\}:(\w+)$`), "meta $1"},
		{regexp.MustCompile(`^\{wa:p\d+\}:c:[^:]+:(\w+)$`), "c:<conv>:$1"},
		{regexp.MustCompile(`^\{wa:p\d+\}:t:[^:]+:(\w+)$`), "t:<turn>:$1"},
		{regexp.MustCompile(`^\{wa:p\d+\}:c:[^:]+$`), "c:<conv>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:t:[^:]+$`), "t:<turn>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:n:[\w-]{22}$`), "n:<name>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:i:[\w-]+$`), "i:<owner>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:p:[\w-]{22}$`), "p:<id>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:w:[\w-]{22}$`), "w:<wamid>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:g:[\w-]{22}$`), "g:<hash>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:b:[\w-]{22}$`), "b:<bucket>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:(l[brxos]):\d{4}-\d\d-\d\d$`), "$1:<day>"},
		{regexp.MustCompile(`^\{wa:p\d+\}:(\w+)$`), "$1"},
	}
	fieldForms = []struct {
		key  string
		form *regexp.Regexp
		name string
	}{
		{"t:<turn>", regexp.MustCompile(`^f:\d+:\d+:\w+$`), "f:<send>"},
		{"t:<turn>", regexp.MustCompile(`^s:[\w-]{22}$`), "s:<wamid>"},
		{"t:<turn>", regexp.MustCompile(`^fee:\d+:\d+$`), "fee:<send>"},
		{"lb:<day>", regexp.MustCompile(`.`), "<purse>"},
		{"lr:<day>", regexp.MustCompile(`.`), "<turn>"},
		{"ls:<day>", regexp.MustCompile(`.`), "<sum>"},
		{"c:<conv>:m", regexp.MustCompile(`^[\w-]{22}$`), "<id>"},
	}
)

// inRedis reads every key with all its fields or members.
func inRedis(t *testing.T, redis *redisserver.Server) found {
	t.Helper()
	ask := func(args ...string) string {
		out, err := redis.CLI(args...)
		require.NoError(t, err)
		return out
	}
	lines := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, "\n")
	}
	out := found{}
	for _, key := range lines(ask("KEYS", "*")) {
		name := "unknown: " + key
		for _, f := range keyForms {
			if f.form.MatchString(key) {
				name = f.form.ReplaceAllString(key, f.name)
				break
			}
		}
		switch strings.TrimSpace(ask("TYPE", key)) {
		case "hash":
			for _, field := range lines(ask("HKEYS", key)) {
				fieldName := field
				for _, f := range fieldForms {
					if f.key == name && f.form.MatchString(field) {
						fieldName = f.name
					}
				}
				out.add(name+" "+fieldName, field+"\n"+ask("HGET", key, field))
			}
		case "string":
			out.add(name, key+"\n"+ask("GET", key))
		case "list":
			out.add(name, key+"\n"+ask("LRANGE", key, "0", "-1"))
		case "set":
			out.add(name, key+"\n"+ask("SMEMBERS", key))
		case "zset":
			out.add(name, key+"\n"+ask("ZRANGE", key, "0", "-1", "WITHSCORES"))
		case "none": // its time was up since KEYS
		default:
			t.Errorf("%s is of a type nobody reads", name)
		}
	}
	return out
}

// TestEverythingStoredIsInTheTable lives with a person on each store, looks into every
// column, key and field, and compares what is there with what docs/privacy.md says.
func TestEverythingStoredIsInTheTable(t *testing.T) {
	t.Parallel()
	for _, k := range keepers(t) {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			heading := "Embedded"
			if k.redis != nil {
				heading = "Redis"
			}
			told := places(t, heading)
			b := start(t, k.env, settings{"FAKE_KNOBS": "error=transient:2"})
			zephyrine := b.user(t, simulator.UserSpec{Name: markName, Phone: markPhone, UserID: markUserID, Username: markUsername})
			for range 3 {
				zephyrine.writes(markText)
				zephyrine.gets()
				zephyrine.speaks(recording(t, markTranscript))
				zephyrine.gets()
			}
			b.idle()
			b.stop()
			var at found
			if k.redis == nil {
				at = inFile(t, filepath.Join(k.dir, "bot.db"))
			} else {
				at = inRedis(t, k.redis)
			}
			marks := []string{markPhone, markName, markUserID, markText, markTranscript}
			for _, m := range b.sim.Messages(zephyrine.id) {
				marks = append(marks, m.ID)
			}
			personal := 0
			for where, values := range at {
				row, ok := told[where]
				if !assert.True(t, ok, "docs/privacy.md says nothing about %q", where) {
					continue
				}
				for _, v := range values {
					n := shown(v, marks)
					if n > 0 && !k.sealed {
						personal++
						assert.True(t, row.personal, "%s holds something personal, and docs/privacy.md does not say so", where)
					}
					if k.sealed {
						assert.Zero(t, n, "%s shows something personal in a sealed store", where)
					}
				}
			}
			if !k.sealed {
				assert.Greater(t, personal, 5, "the values are read")
			}
			if k.redis == nil {
				for where := range told {
					_, ok := at[where]
					assert.True(t, ok, "docs/privacy.md tells of %q, which is not there", where)
				}
				sealedColumns(t, k, told, at)
			}
		})
	}
}

// sealedColumns looks at the bytes: what is sealed begins as sealed records do, and what
// is a hash as hashes do.
func sealedColumns(t *testing.T, k keeper, told map[string]place, at found) {
	t.Helper()
	if !k.sealed {
		return
	}
	seen := 0
	for where, row := range told {
		for _, v := range at[where] {
			switch {
			case where == "sealing one" || where == "sealing key" || v == "":
			case row.sealed:
				seen++
				assert.Equal(t, byte(1), v[0], "%s is not sealed", where)
			case row.hashed:
				seen++
				assert.Equal(t, byte('#'), v[0], "%s is no hash", where)
			}
		}
	}
	assert.Greater(t, seen, 10)
}
