package architecture_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecurityNamesTestsThatExist: a promise in the table is worth its test.
func TestSecurityNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/security.md")
	require.NoError(t, err)
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
	rows := 0
	for _, line := range strings.Split(string(page), "\n") {
		named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(line, -1)
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
