package mcp

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"whatsappnode/domain"
)

// textOf is what a model can read of a result. Pictures and sounds are named; a link is
// its address. Servers ought to send structured content as text, too, but some send
// there only that all went well: then it follows the text.
func textOf(result *sdk.CallToolResult) string {
	var parts []string
	for _, c := range result.Content {
		switch c := c.(type) {
		case *sdk.TextContent:
			parts = append(parts, c.Text)
		case *sdk.ImageContent:
			parts = append(parts, "[a picture that cannot be shown]")
		case *sdk.AudioContent:
			parts = append(parts, "[a sound that cannot be played]")
		case *sdk.ResourceLink:
			parts = append(parts, strings.TrimSpace(c.Name+" "+c.URI))
		case *sdk.EmbeddedResource:
			switch {
			case c.Resource == nil:
			case c.Resource.Text != "":
				parts = append(parts, c.Resource.Text)
			default:
				parts = append(parts, "[a file that cannot be shown] "+c.Resource.URI)
			}
		}
	}
	if s := result.StructuredContent; s != nil && !slices.ContainsFunc(parts, func(p string) bool { return says(p, s) }) {
		if raw, err := json.Marshal(s); err == nil {
			parts = append(parts, string(raw))
		}
	}
	return domain.CleanText(strings.Join(parts, "\n"))
}

// says reports whether a text is the JSON of a value.
func says(text string, value any) bool {
	var same any
	return json.Unmarshal([]byte(text), &same) == nil && reflect.DeepEqual(same, value)
}
