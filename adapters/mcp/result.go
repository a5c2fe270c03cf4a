package mcp

import (
	"encoding/json"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// textOf is what a model can read of a result. Pictures and sounds are named; a link is
// its address. Structured content stands in where there is nothing else: servers that
// send it send the same as text.
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
	text := clean(strings.Join(parts, "\n"))
	if strings.TrimSpace(text) == "" && result.StructuredContent != nil {
		if raw, err := json.Marshal(result.StructuredContent); err == nil {
			return clean(string(raw))
		}
	}
	return text
}
