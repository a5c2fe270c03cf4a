package bot_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
)

const configurationFile = "../../../docs/configuration.md"

// headings are the titles of the parts of the config struct; one that has none goes
// under the name of its field.
var headings = map[string]string{
	"HTTP": "Listeners", "WhatsApp": "WhatsApp", "Store": "Store", "Sending": "Meta's limits", "Vendors": "Vendors", "Dialogue": "Dialogue", "Log": "Log", "Trace": "Traces",
}

// TestConfigurationListsEverySetting: docs/configuration.md is made from the config
// struct, with the type and the rule of each setting.
func TestConfigurationListsEverySetting(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Configuration\n\n" +
		"Made from the config struct; `go test ./cmd/internal/bot -update` writes it anew.\n\n" +
		"All settings are environment variables, or in development lines of a `.env` file. A variable that is set to nothing counts as not set.\n" +
		"Each `X` can also be given as `X_FILE`, the path of a file that holds the value. A duration and a size carry their unit: `30s`, `4MiB`.\n" +
		"The process refuses to start with a wrong setting, and lists all that are wrong.\n\n" +
		"The files of `WHATSAPP_ACCESS_TOKEN_FILE`, `WHATSAPP_APP_SECRET_FILE`, `WHATSAPP_VERIFY_TOKEN_FILE` and `REDIS_PASSWORD_FILE` are read again when they change,\n" +
		"within about two seconds, without a restart. A file that is empty, gone or still being written leaves the old value in force; the log says\n" +
		"`secret.changed` or `secret.unreadable`. Others are read once.\n\n" +
		"`deployments/env.example` is the same list as a file to begin with. Business numbers in an agents file: [agents-file.md](agents-file.md).\n")
	config := reflect.TypeFor[bot.Config]()
	listed := map[string]bool{}
	section := func(title string, vars []settings.Var) {
		fmt.Fprintf(&b, "\n## %s\n\n| variable | type | default | meaning |\n| --- | --- | --- | --- |\n", title)
		for _, v := range vars {
			if listed[v.Name] {
				continue
			}
			listed[v.Name] = true
			def := "`" + v.Default + "`"
			switch {
			case v.Required:
				def = "**required**"
			case v.Default == "":
				def = ""
			}
			doc := v.Doc
			if rule := strings.TrimSuffix(v.Rule, ", each item:"); rule != "" && !strings.HasPrefix(rule, "such that") {
				doc += " *(" + rule + ")*"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, v.Type, def, strings.ReplaceAll(doc, "|", `\|`))
		}
	}
	own := settings.Describe(bot.Config{})
	inParts := map[string]bool{}
	var parts []reflect.StructField
	for i := range config.NumField() {
		f := config.Field(i)
		if f.Tag.Get("env") != "" || f.Type.Kind() != reflect.Struct {
			continue
		}
		parts = append(parts, f)
		for _, v := range settings.Describe(withPrefix(f)) {
			inParts[v.Name] = true
		}
	}
	var general []settings.Var
	for _, v := range own {
		if !inParts[v.Name] {
			general = append(general, v)
		}
	}
	section("Process", general)
	for _, f := range parts {
		title := headings[f.Name]
		if title == "" {
			title = f.Name
		}
		section(title, settings.Describe(withPrefix(f)))
	}
	for _, v := range own {
		require.True(t, listed[v.Name], "%s is missing", v.Name)
	}
	same(t, configurationFile, b.String())
}

// withPrefix is a part of the config alone, under the prefix it has in the whole.
func withPrefix(f reflect.StructField) any {
	return reflect.New(reflect.StructOf([]reflect.StructField{{Name: f.Name, Type: f.Type, Tag: f.Tag}})).Elem().Interface()
}
