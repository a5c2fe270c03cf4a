package architecture_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// topLevel is everything that may stand at the top, dot-files and build output
// aside.
var topLevel = []string{
	"cmd", "domain", "ports", "adapters", "app", "deployments", "test", "docs", "bin",
	"go.mod", "go.sum", "Makefile", "Dockerfile", "LICENSE", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md",
}

func TestNothingElseStandsAtTheTop(t *testing.T) {
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		require.Contains(t, topLevel, e.Name())
	}
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && path != root) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 50)
	return files
}

func TestPackagesHaveTellingNames(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, segment := range strings.Split(filepath.ToSlash(filepath.Dir(f)), "/") {
			require.NotContains(t, []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}, segment, f)
		}
	}
}

// lineLimit is well above the 80 to 250 lines a file should have: it catches the
// file that grew a second idea, not the one that is a little long.
const lineLimit = 450

func TestFilesHoldOneIdea(t *testing.T) {
	for _, f := range goFiles(t) {
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		lines := strings.Count(string(body), "\n")
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		require.LessOrEqual(t, lines, lineLimit, "%s has %d lines", f, lines)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	comment := regexp.MustCompile(`(?m)^// (Package|Command) \S+ `)
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		dir := filepath.Dir(f)
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		documented[dir] = documented[dir] || comment.Match(body)
	}
	for dir, ok := range documented {
		require.True(t, ok, "package %s has no package comment", dir)
	}
}

// TestProvidersAreNotRegisteredBySideEffect: wiring is ordinary code in one place.
func TestProvidersAreNotRegisteredBySideEffect(t *testing.T) {
	for _, f := range goFiles(t) {
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		if regexp.MustCompile(`(?m)^func init\(\)`).Match(body) {
			t.Errorf("%s has an init function", f)
		}
		for _, m := range regexp.MustCompile(`(?m)^\s*(?:import )?_ "([^"]+)"`).FindAllStringSubmatch(string(body), -1) {
			require.Contains(t, []string{"modernc.org/sqlite", "embed", "time/tzdata"}, m[1], "%s imports %s for its side effect", f, m[1])
		}
	}
}

func TestPortSuffixIsForPortsOnly(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^(?:type )?\s*(\w+Port)\s+(interface|struct|func|=)`)
	want := []string{"MessengerPort", "DedupPort", "LLMPort", "STTPort", "TTSPort"}
	var found []string
	for _, f := range goFiles(t) {
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range declared.FindAllStringSubmatch(string(body), -1) {
			require.Equal(t, "ports", filepath.Base(filepath.Dir(f)), "%s declares %s", f, m[1])
			require.Equal(t, "interface", m[2], "%s: %s", f, m[1])
			found = append(found, m[1])
		}
	}
	for _, w := range want {
		require.True(t, slices.Contains(found, w), "the port %s is missing", w)
	}
}
