package simulator_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestNumberIsReadByFields(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.DisplayPhone = "15550100777" })
	path := "/v26.0/" + w.Config().PhoneNumberID

	whole := w.graph(http.MethodGet, path)
	require.Equal(t, 200, whole.status)
	require.Contains(t, whole.body, "verified_name")
	require.Contains(t, whole.body, "throughput")

	part := w.graph(http.MethodGet, path+"?fields=display_phone_number,platform_type")
	require.Equal(t, 200, part.status)
	require.Equal(t, map[string]any{
		"display_phone_number": "15550100777", "platform_type": "CLOUD_API", "id": w.Config().PhoneNumberID,
	}, part.body)

	wrong := w.graph(http.MethodGet, path+"?fields=display_phone_number,colour")
	require.Equal(t, 400, wrong.status)
	require.Equal(t, 100, wrong.code())
}
