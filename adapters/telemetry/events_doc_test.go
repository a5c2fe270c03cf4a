package telemetry_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/telemetry"
)

// TestEveryEventIsInTheManual: the names are a promise, so each stands in the table,
// and the table promises none that does not exist.
func TestEveryEventIsInTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(manual), "| about | event | when |")
	require.True(t, ok)
	listed := map[string]bool{}
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(line, "the line's `message`") {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(cells[2], -1) {
			listed[m[1]] = true
		}
	}
	known := map[string]bool{}
	for _, name := range telemetry.EventNames() {
		known[name] = true
		assert.True(t, listed[name], "%s is not in docs/observability.md", name)
	}
	for name := range listed {
		assert.True(t, known[name], "docs/observability.md promises %s", name)
	}
	require.Greater(t, len(known), 25)
}
