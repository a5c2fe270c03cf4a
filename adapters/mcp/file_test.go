package mcp_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/mcp"
)

func load(t *testing.T, text string) ([]mcp.Server, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "servers.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return mcp.Load(path, func(variable string) (func() string, error) {
		if variable != "SHOP_API_KEY" {
			return nil, errors.New(variable + " is not set")
		}
		return always("key-4711"), nil
	})
}

func TestFileNamesServers(t *testing.T) {
	got, err := load(t, `
servers:
  - name: shop
    command: [node, index.js]
    env: {PATH: /usr/bin}
    env_from: {KEY: SHOP_API_KEY}
    dir: /srv
    timeout: 3s
    max_result: 1KiB
  - name: weather
    url: https://tools.example/mcp
    headers: {X-Team: bot}
    headers_from: {Authorization: SHOP_API_KEY}
`)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"node", "index.js"}, got[0].Command)
	assert.Equal(t, "/srv", got[0].Dir)
	assert.Equal(t, 3*time.Second, got[0].Timeout)
	assert.Equal(t, 1024, got[0].MaxResult)
	assert.Equal(t, "key-4711", got[0].Env["KEY"]())
	assert.Equal(t, "/usr/bin", got[0].Env["PATH"]())
	assert.False(t, got[0].Secret)
	assert.Equal(t, "key-4711", got[1].Headers["Authorization"]())
	assert.Equal(t, "bot", got[1].Headers["X-Team"]())
	assert.True(t, got[1].Secret)
}

// TestFaultsOfTheFile are told all at once, with their lines and without values.
func TestFaultsOfTheFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		says []string
	}{
		"empty":       {"", []string{"line 1: there is no server"}},
		"no YAML":     {"servers: [", []string{"this is no YAML"}},
		"another key": {"server: []", []string{"line 1: the file has one key, servers"}},
		"unknown key": {"servers:\n  - name: shop\n    comand: [s3cret]\n", []string{"line 3: comand is not known here"}},
		"wrong kind":  {"servers:\n  - name: shop\n    command: s3cret\n", []string{"line 3: something of another kind belongs here"}},
		"both ways":   {"servers:\n  - {name: shop, command: [a], url: 'http://127.0.0.1'}\n", []string{"line 2: either command or url"}},
		"neither way": {"servers:\n  - {name: shop}\n", []string{"line 2: either command or url"}},
		"odd name":    {"servers:\n  - {name: my_shop, command: [a]}\n", []string{"line 2: name must be"}},
		"same name":   {"servers:\n  - {name: shop, command: [a]}\n  - {name: shop, command: [a]}\n", []string{"line 3: name is that of another server"}},
		"secret in clear": {
			"servers:\n  - name: shop\n    url: http://tools.example/s3cret\n    headers_from: {A: SHOP_API_KEY}\n", []string{"line 2: url must be https where a secret goes with it"},
		},
		"user in the url":       {"servers:\n  - {name: shop, url: 'https://u:s3cret@tools.example'}\n", []string{"line 2: url must be http or https"}},
		"unset variable":        {"servers:\n  - {name: shop, command: [a], env_from: {K: NOBODY}}\n", []string{"line 2: env_from cannot be used: NOBODY is not set"}},
		"given twice":           {"servers:\n  - {name: shop, command: [a], env: {K: s3cret}, env_from: {K: SHOP_API_KEY}}\n", []string{"env and env_from give the same"}},
		"odd variable":          {"servers:\n  - {name: shop, command: [a], env: {'A=B': s3cret}}\n", []string{"env holds what is no name"}},
		"odd header":            {"servers:\n  - {name: shop, url: 'http://127.0.0.1', headers: {'A: B': s3cret}}\n", []string{"headers holds what is no name"}},
		"headers for a program": {"servers:\n  - {name: shop, command: [a], headers: {A: s3cret}}\n", []string{"headers belong to a url"}},
		"env for a service":     {"servers:\n  - {name: shop, url: 'http://127.0.0.1', env: {A: s3cret}}\n", []string{"env and dir belong to a command"}},
		"several": {
			"servers:\n  - {name: shop, command: [a], timeout: 5, max_result: s3cret}\n  - {name: b, command: [a], timeout: 1h}\n",
			[]string{"line 2: timeout must be a duration", "line 2: max_result must be a size", "line 3: timeout must be between"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.text)
			require.Error(t, err)
			for _, want := range tt.says {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "s3cret")
			assert.Len(t, strings.Split(err.Error(), "\n"), len(tt.says))
		})
	}
	_, err := mcp.Load("/nonexistent/servers.yaml", nil)
	assert.EqualError(t, err, "names a file that does not exist")
}
