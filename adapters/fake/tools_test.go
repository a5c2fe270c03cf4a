package fake_test

import (
	"context"
	"encoding/json"
	"testing"

	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func TestToolContract(t *testing.T) {
	porttest.TestTools(t, porttest.ToolHarness{
		New: func(_ *testing.T, tools []porttest.TestTool) ports.ToolPort {
			var all []fake.Tool
			for _, each := range tools {
				schema, _ := json.Marshal(each.Schema)
				all = append(all, fake.Tool{
					Tool: ports.Tool{Name: each.Name, Description: each.Description, Parameters: schema},
					Run: func(ctx context.Context, raw json.RawMessage) (string, bool, error) {
						var arguments map[string]any
						_ = json.Unmarshal(raw, &arguments)
						text, failed := each.Run(ctx, arguments)
						return text, failed, nil
					},
				})
			}
			return fake.NewTools(all...)
		},
	})
}
