package baseurl_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/baseurl"
)

func TestCheck(t *testing.T) {
	for _, good := range []string{
		"https://api.example.com", "https://api.example.com/v1", "http://localhost:8080", "http://LOCALHOST", "http://127.0.0.1:1/v1",
		"http://127.9.9.9", "http://[::1]:80", "http://[::ffff:127.0.0.1]",
	} {
		assert.NoError(t, baseurl.Check(good), good)
	}
	for bad, words := range map[string]string{
		"":                               "nothing else",
		"api.example.com":                "nothing else",
		"https://":                       "nothing else",
		"https:api.example.com":          "nothing else",
		"https://key@api.example.com":    "nothing else",
		"https://api.example.com?key=k1": "nothing else",
		"https://api.example.com?":       "nothing else",
		"https://api.example.com#k1":     "nothing else",
		"https://api.example.com/%zz":    "nothing else",
		"http://api.example.com":         "must be https",
		"ftp://localhost":                "must be https",
		"http://localhost.example.com":   "must be https",
		"http://10.0.0.1":                "must be https",
		"http://[::1%25eth0]":            "must be https",
	} {
		err := baseurl.Check(bad)
		if assert.ErrorContains(t, err, words, bad) {
			assert.NotContains(t, err.Error(), "k1")
			assert.NotContains(t, err.Error(), "example.com")
		}
	}
}
