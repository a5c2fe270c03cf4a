package architecture_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testName is how the documents name a test.
var testName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")

// declaredTests are the names of all tests.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, f := range goFiles(t) {
		if !strings.HasSuffix(f, "_test.go") {
			continue
		}
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range function.FindAllStringSubmatch(string(body), -1) {
			declared[m[1]] = true
		}
	}
	return declared
}

// TestSecurityNamesTestsThatExist: a promise in the table is worth its test.
func TestSecurityNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/security.md")
	require.NoError(t, err)
	declared := declaredTests(t)
	rows := 0
	for _, line := range strings.Split(string(page), "\n") {
		named := testName.FindAllStringSubmatch(line, -1)
		for _, m := range named {
			require.True(t, declared[m[1]], "docs/security.md names %s, which is no test", m[1])
		}
		if strings.HasPrefix(line, "| LLM") {
			rows++
			require.NotEmpty(t, named, "no test shows it: %s", line)
		}
	}
	require.Equal(t, 10, rows, "the list has ten entries")
}

// TestGuardsNameTestsThatExist: each promise has a test and what breaks it.
func TestGuardsNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/guards.md")
	require.NoError(t, err)
	declared, rows := declaredTests(t), 0
	for _, line := range strings.Split(string(page), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") || strings.HasPrefix(line, "| ---") {
			continue
		}
		rows++
		require.Len(t, cells, 3, line)
		named := testName.FindAllStringSubmatch(cells[1], -1)
		require.NotEmpty(t, named, "no test shows it: %s", line)
		for _, m := range named {
			require.True(t, declared[m[1]], "docs/guards.md names %s, which is no test", m[1])
		}
		require.NotEmpty(t, strings.TrimSpace(cells[2]), "nothing breaks it: %s", line)
	}
	require.Greater(t, rows, 30, "the table was not found")
}

// TestCorporaAreKept of the parsers that read what anybody may send, or what was stored:
// each run of the tests tries what fuzzing has found.
func TestCorporaAreKept(t *testing.T) {
	declared := declaredTests(t)
	for folder, targets := range map[string][]string{
		"whatsapp": {"FuzzVerify", "FuzzDecode", "FuzzMediaGuard"}, "tracing": {"FuzzTraceHeaders", "FuzzCloudTraceContext"},
		"oggopus": {"FuzzRead", "FuzzDecode", "FuzzJoin"}, "voicenote": {"FuzzMeter"}, "record": {"FuzzDecode", "FuzzOpen"},
	} {
		for _, target := range targets {
			require.True(t, declared[target], target)
			kept, err := os.ReadDir(root + "/adapters/" + folder + "/testdata/fuzz/" + target)
			require.NoError(t, err)
			require.NotEmpty(t, kept, "%s of %s", target, folder)
		}
	}
}
