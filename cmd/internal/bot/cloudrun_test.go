package bot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

func TestCloudRunWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		role string
		want []string
	}{
		"elsewhere":                              {map[string]string{}, "all", nil},
		"all, nothing stated":                    {map[string]string{"K_SERVICE": "bot", "REDIS_URL": "redis://h:6379"}, "all", []string{"CPU_ALWAYS_ON"}},
		"worker, nothing stated":                 {map[string]string{"K_SERVICE": "bot", "REDIS_URL": "redis://h:6379"}, "worker", []string{"CPU_ALWAYS_ON"}},
		"all, stated":                            {map[string]string{"K_SERVICE": "bot", "REDIS_URL": "redis://h:6379", "CPU_ALWAYS_ON": "true"}, "all", nil},
		"serve needs no CPU after the 200":       {map[string]string{"K_SERVICE": "bot", "REDIS_URL": "redis://h:6379"}, "serve", nil},
		"files vanish with the instance":         {map[string]string{"K_SERVICE": "bot", "CPU_ALWAYS_ON": "true"}, "all", []string{"REDIS_URL"}},
		"a worker pool has always got its CPU":   {map[string]string{"REDIS_URL": "redis://h:6379"}, "worker", nil},
		"all, nothing stated, and files as well": {map[string]string{"K_SERVICE": "bot"}, "all", []string{"CPU_ALWAYS_ON", "REDIS_URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := bot.CloudRunWarnings(func(k string) string { return c.env[k] }, c.role)
			require.Len(t, got, len(c.want))
			for i, w := range c.want {
				require.Contains(t, got[i], w)
			}
		})
	}
}
