package deployments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/deployments"
)

const root = "../.."

// TestDeployments: nothing is wrong with what is shipped.
func TestDeployments(t *testing.T) {
	files, err := deployments.Load(root)
	require.NoError(t, err)
	for _, fault := range deployments.Check(files, "") {
		t.Error(fault)
	}
}
