package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVendorOutOfReachIsToldOnce, before any turn needs it, and again when it is back.
func TestVendorOutOfReachIsToldOnce(t *testing.T) {
	t.Parallel()
	vendor := freeAddress(t)
	b := start(t, settings{
		"ADMIN_ADDR": freeAddress(t), "VENDOR_KEEP_WARM": "1s",
		"LLM_PROVIDER": "fake,openai", "OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": "http://" + vendor + "/v1",
	})
	const failed = `vendor_visits_failed_total{vendor="openai"}`
	eventually(t, "several visits have failed", func() bool { return b.scrape(t)[failed] >= 3 })
	b.serveAt(vendor)
	b.logs("vendor.up", 1)
	down := b.events("vendor.down")
	require.Len(t, down, 1)
	require.Equal(t, "openai", down[0].str("vendor"))
	require.Equal(t, "http://"+vendor, down[0].str("server"))
	require.Contains(t, down[0].str("error"), "connection refused")
	require.Zero(t, b.scrape(t)[`vendor_visits_failed_total{vendor="graph"}`])
}
