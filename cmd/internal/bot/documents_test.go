package bot_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/agentsfile"
	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
)

// update rewrites the documents from the config struct: go test ./cmd/internal/bot -update
var update = flag.Bool("update", false, "rewrite env.example and the README's table")

const (
	exampleFile = "../../../deployments/env.example"
	readmeFile  = "../../../README.md"
	tableBegin  = "<!-- settings: made from cmd/internal/bot/config.go -->\n"
	tableEnd    = "<!-- end of settings -->"

	manualFile  = "../../../docs/agents-file.md"
	manualBegin = "<!-- keys: made from adapters/agentsfile and cmd/internal/bot/config.go -->\n"
	manualEnd   = "<!-- end of keys -->"
)

func TestExampleListsEverySetting(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Every setting, with its default. Lines that are commented out are optional.\n" +
		"# Each X can also be given as X_FILE, the path of a file that holds the value.\n" +
		"# A duration and a size carry their unit: 30s, 4MiB.\n")
	for _, v := range settings.Describe(bot.Config{}) {
		fmt.Fprintf(&b, "\n# %s\n", v.Doc)
		if v.Required {
			fmt.Fprintf(&b, "%s=\n", v.Name)
		} else {
			fmt.Fprintf(&b, "#%s=%s\n", v.Name, v.Default)
		}
	}
	same(t, exampleFile, b.String())
}

func TestReadmeListsEverySetting(t *testing.T) {
	var b strings.Builder
	b.WriteString("| variable | meaning | default |\n| --- | --- | --- |\n")
	for _, v := range settings.Describe(bot.Config{}) {
		def := "`" + v.Default + "`"
		switch {
		case v.Required:
			def = "**required**"
		case v.Default == "":
			def = ""
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, strings.ReplaceAll(v.Doc, "|", `\|`), def)
	}
	within(t, readmeFile, tableBegin, b.String(), tableEnd)
}

// TestManualListsEveryKey: a key of the agents file that stands for a setting is
// explained in that setting's words.
func TestManualListsEveryKey(t *testing.T) {
	known := map[string]settings.Var{}
	for _, v := range settings.Describe(bot.Config{}) {
		known[v.Name] = v
	}
	var b strings.Builder
	b.WriteString("| key | meaning | stands for |\n| --- | --- | --- |\n")
	for _, k := range agentsfile.Keys() {
		doc, setting := k.Doc, ""
		if k.Setting != "" {
			require.Contains(t, known, k.Setting, k.Path)
			doc, setting = known[k.Setting].Doc, "`"+k.Setting+"`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Path, strings.ReplaceAll(doc, "|", `\|`), setting)
	}
	within(t, manualFile, manualBegin, b.String(), manualEnd)
}

// within compares, or rewrites, what stands between two lines of a document.
func within(t *testing.T, file, begin, want, end string) {
	t.Helper()
	document, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(document), begin)
	require.True(t, ok, "%s has no place for the table", file)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	same(t, file, before+begin+want+end+after)
}

func same(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "%s is not what the settings say; run go test ./cmd/internal/bot -update", file)
}
