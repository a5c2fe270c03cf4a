package mcp

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// What a server may offer. A model reads all of it with every question, so what is
// above the bounds is left out.
const (
	maxTools       = 128
	maxPages       = 16
	maxDescription = 2 << 10
	maxSchema      = 32 << 10
)

// tools are what a server offers: as the model sees them, and by those names what the
// server calls them.
type tools struct {
	list  []ports.Tool
	names map[string]string
}

// offer turns a server's tools into ours, whose names begin with the server's. Of two
// with the same name after that, the first counts.
func offer(server string, all []*sdk.Tool) tools {
	out := tools{names: map[string]string{}}
	for _, t := range all {
		if t == nil || t.Name == "" || len(out.list) == maxTools {
			continue
		}
		name := shown(server, t.Name)
		schema, ok := schemaOf(t.InputSchema)
		if _, taken := out.names[name]; taken || !ok {
			continue
		}
		out.names[name] = t.Name
		description := t.Description
		if description == "" {
			description = t.Title
		}
		out.list = append(out.list, ports.Tool{Name: name, Description: cut(domain.CleanText(description), maxDescription), Parameters: schema})
	}
	slices.SortFunc(out.list, func(a, b ports.Tool) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// shown is the name that a model sees: every vendor takes it.
func shown(server, tool string) string {
	name := server + "_" + strings.Map(func(r rune) rune {
		if ports.ToolNameOK(string(r)) {
			return r
		}
		return '_'
	}, tool)
	return name[:min(len(name), 64)]
}

// schemaOf is a tool's schema, which must be that of an object. Some servers leave its
// type out, and some vendors insist on it.
func schemaOf(schema any) (json.RawMessage, bool) {
	fields, ok := schema.(map[string]any)
	if schema == nil {
		fields, ok = map[string]any{}, true
	}
	if kind, given := fields["type"]; !ok || given && kind != "object" {
		return nil, false
	}
	whole := map[string]any{"type": "object"}
	for k, v := range fields {
		if k != "$schema" { // vendors know one dialect, and some refuse the key
			whole[k] = v
		}
	}
	raw, err := json.Marshal(whole)
	return raw, err == nil && len(raw) <= maxSchema
}

// cutMark ends a text that was cut.
const cutMark = "\n[cut: there was more]"

// cut leaves at most limit bytes of a text, whole characters, and says that it did.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := max(0, limit-len(cutMark))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}
