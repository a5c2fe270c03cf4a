package architecture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "whatsappnode"

// pure lists the standard packages that domain may use: none of them does I/O.
var pure = []string{
	"cmp", "errors", "fmt", "iter", "maps", "math", "math/bits", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf16", "unicode/utf8",
}

// quiet lists what ports and app may use beyond that: still no network, no files.
var quiet = append([]string{"context", "math/rand/v2", "runtime/debug", "sync", "sync/atomic", "crypto/rand", "encoding/base32", "encoding/hex", "encoding/json"}, pure...)

// shared are the helper packages under adapters that any adapter may use.
var shared = []string{"baseurl", "googlecloud", "h2client", "httpstatus", "news", "oggopus", "pcm", "program", "record", "settings", "telemetry", "voicenote", "wav"}

// goPackage is the part of `go list -json` the rules look at.
type goPackage struct {
	ImportPath   string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...").Output()
	require.NoError(t, err)
	var all []goPackage
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		all = append(all, p)
	}
	require.Greater(t, len(all), 10, "go list found too little to check")
	return all
}

func TestImportRules(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// faults lists the imports of a package that break a rule.
func faults(p goPackage) []string {
	var out []string
	check := func(kind string, imports []string, test bool) {
		for _, imp := range imports {
			if !allowed(p.ImportPath, imp, test) {
				out = append(out, fmt.Sprintf("%s: %s must not import %s", p.ImportPath, kind, imp))
			}
		}
	}
	check("code", p.Imports, false)
	check("a test", p.TestImports, true)
	check("a test", p.XTestImports, true)
	return out
}

func allowed(pkg, imp string, test bool) bool {
	layer, rest := layerOf(pkg)
	target, targetRest := layerOf(imp)
	inside := target != ""
	standard := !strings.Contains(strings.Split(imp, "/")[0], ".") && !inside

	switch layer {
	case "domain":
		if test {
			return standard || target == "domain" || isTestify(imp)
		}
		return slices.Contains(pure, imp)
	case "ports":
		if strings.HasPrefix(rest, "porttest") || test {
			return standard || target == "domain" || target == "ports" || isTestify(imp) || (test && targetRest == "fake")
		}
		return slices.Contains(quiet, imp) || target == "domain"
	case "app":
		if test {
			return standard || target == "domain" || target == "ports" || target == "app" || isTestify(imp) || targetRest == "fake" || targetRest == "oggopus"
		}
		return slices.Contains(quiet, imp) || target == "domain" || target == "ports"
	case "adapters":
		if !inside {
			return true
		}
		own := firstSegment(rest)
		switch target {
		case "domain", "ports":
			return true
		case "adapters":
			other := firstSegment(targetRest)
			return other == own || slices.Contains(shared, other) || (test && other == "fake")
		case "test":
			return test && (strings.HasPrefix(targetRest, "simulator") || targetRest == "redisserver" || targetRest == "googlefake")
		}
		return false
	case "test":
		if strings.HasPrefix(rest, "simulator") {
			return !inside || (target == "test" && strings.HasPrefix(targetRest, "simulator")) // the counterparty shares no code with the bot
		}
		return true
	case "cmd":
		return target != "test" || strings.HasPrefix(rest, "playground") || test
	}
	return false
}

// layerOf splits a path of this module into its top-level folder and the rest; the
// layer is empty for any other path.
func layerOf(path string) (layer, rest string) {
	trimmed, ok := strings.CutPrefix(strings.TrimSuffix(path, "_test"), module+"/")
	if !ok {
		return "", ""
	}
	layer, rest, _ = strings.Cut(trimmed, "/")
	return layer, rest
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

func isTestify(imp string) bool { return strings.HasPrefix(imp, "github.com/stretchr/testify/") }

// TestImportRulesCatchWhatTheyShould proves the check: each planted import breaks
// one rule.
func TestImportRulesCatchWhatTheyShould(t *testing.T) {
	for _, planted := range []struct {
		pkg, imp string
		test     bool
	}{
		{"whatsappnode/domain", "net/http", false},
		{"whatsappnode/domain", "os", false},
		{"whatsappnode/domain", "context", false},
		{"whatsappnode/domain", "whatsappnode/ports", false},
		{"whatsappnode/domain", "whatsappnode/app", true},
		{"whatsappnode/ports", "net/http", false},
		{"whatsappnode/ports", "whatsappnode/adapters/whatsapp", false},
		{"whatsappnode/ports", "github.com/redis/rueidis", false},
		{"whatsappnode/app", "whatsappnode/adapters/whatsapp", false},
		{"whatsappnode/app", "whatsappnode/adapters/whatsapp", true},
		{"whatsappnode/app", "go.uber.org/zap", false},
		{"whatsappnode/app", "os", false},
		{"whatsappnode/adapters/whatsapp", "whatsappnode/app", false},
		{"whatsappnode/adapters/whatsapp", "whatsappnode/app", true},
		{"whatsappnode/adapters/offline", "whatsappnode/adapters/whatsapp", false},
		{"whatsappnode/adapters/offline", "whatsappnode/cmd/internal/bot", false},
		{"whatsappnode/adapters/redisstore", "whatsappnode/test/redisserver", false},
		{"whatsappnode/adapters/redisstore", "whatsappnode/test/bench", true},
		{"whatsappnode/test/simulator", "whatsappnode/domain", false},
		{"whatsappnode/test/simulator", "whatsappnode/adapters/whatsapp", true},
		{"whatsappnode/cmd/whatsapp-node", "whatsappnode/test/simulator", false},
		{"whatsappnode/elsewhere", "fmt", false},
	} {
		require.False(t, allowed(planted.pkg, planted.imp, planted.test), "%+v", planted)
	}
	for _, fine := range []struct{ pkg, imp string }{
		{"whatsappnode/domain", "strings"},
		{"whatsappnode/app", "whatsappnode/ports"},
		{"whatsappnode/adapters/whatsapp", "whatsappnode/adapters/httpstatus"},
		{"whatsappnode/cmd/playground", "whatsappnode/test/simulator"},
	} {
		require.True(t, allowed(fine.pkg, fine.imp, false), "%+v", fine)
	}
}
