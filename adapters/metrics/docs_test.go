package metrics_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryMetricIsInTheManual: each that the program can have stands in the table, and
// the table promises none that does not exist.
func TestEveryMetricIsInTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(manual), "| metric | labels | what it is |")
	require.True(t, ok)
	table, _, ok = strings.Cut(table, "\n\n")
	require.True(t, ok)
	// A row may name a companion beside its labels.
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(table, -1) {
		listed[m[1]] = true
	}

	// Those with labels are in no scrape before something has happened, so the source is
	// read.
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	made := regexp.MustCompile(`(?:(?:counters?|histograms?|function|desc)\(|Name: )"([a-z_]+)"`)
	known := map[string]bool{}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range made.FindAllStringSubmatch(string(code), -1) {
			known[m[1]] = true
			assert.True(t, listed[m[1]], "%s is not in docs/observability.md", m[1])
		}
	}
	require.Greater(t, len(known), 45)
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 4 {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			assert.True(t, known[m[1]], "docs/observability.md promises %s", m[1])
		}
	}
}
