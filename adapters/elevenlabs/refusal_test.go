package elevenlabs_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/ports"
)

func TestRefusals(t *testing.T) {
	const said = "the code of the safe is 4711"
	for name, c := range map[string]struct {
		status int
		body   string
		kind   ports.Kind
		scope  ports.Scope
		code   string
	}{
		"quota, old":            {401, `{"detail":{"status":"quota_exceeded","message":"` + said + `"}}`, ports.KindDenied, ports.ScopeAccount, "quota_exceeded"},
		"quota with 400":        {400, `{"detail":{"status":"quota_exceeded"}}`, ports.KindDenied, ports.ScopeAccount, "quota_exceeded"},
		"quota, new":            {402, `{"detail":{"type":"payment_required","code":"insufficient_credits"}}`, ports.KindDenied, ports.ScopeAccount, "insufficient_credits"},
		"quota with 429":        {429, `{"detail":{"status":"quota_exceeded"}}`, ports.KindDenied, ports.ScopeAccount, "quota_exceeded"},
		"key":                   {401, `{"detail":{"status":"invalid_api_key"}}`, ports.KindDenied, ports.ScopeAccount, "invalid_api_key"},
		"format not in plan":    {403, `{"detail":{"status":"output_format_not_allowed"}}`, ports.KindDenied, ports.ScopeAccount, "output_format_not_allowed"},
		"voice not in plan":     {403, `{"detail":{"status":"only_for_creator+"}}`, ports.KindDenied, ports.ScopeAccount, "only_for_creator+"},
		"forbidden, no code":    {403, `{"detail":"Forbidden"}`, ports.KindDenied, ports.ScopeAccount, ""},
		"concurrency, old":      {429, `{"detail":{"status":"too_many_concurrent_requests"}}`, ports.KindRateLimited, ports.ScopeAccount, "too_many_concurrent_requests"},
		"concurrency, new":      {429, `{"detail":{"type":"rate_limit_error","code":"concurrent_limit_exceeded"}}`, ports.KindRateLimited, ports.ScopeAccount, "concurrent_limit_exceeded"},
		"busy":                  {429, `{"detail":{"status":"system_busy"}}`, ports.KindRateLimited, ports.ScopeCall, "system_busy"},
		"busy with 503":         {503, `{"detail":{"status":"system_busy"}}`, ports.KindRateLimited, ports.ScopeCall, "system_busy"},
		"429, no code":          {429, ``, ports.KindRateLimited, ports.ScopeAccount, ""},
		"voice, old":            {400, `{"detail":{"status":"voice_not_found"}}`, ports.KindInvalid, ports.ScopeCall, "voice_not_found"},
		"voice, new":            {404, `{"detail":{"type":"not_found","code":"voice_not_found"}}`, ports.KindInvalid, ports.ScopeCall, "voice_not_found"},
		"model":                 {400, `{"detail":{"status":"model_not_found"}}`, ports.KindInvalid, ports.ScopeCall, "model_not_found"},
		"404, no code":          {404, `Not Found`, ports.KindInvalid, ports.ScopeCall, ""},
		"language":              {400, `{"detail":{"type":"validation_error","code":"invalid_parameters","status":"unsupported_language","message":"` + said + `"}}`, ports.KindUnsupported, ports.ScopeCall, "unsupported_language"},
		"language by parameter": {400, `{"detail":{"code":"invalid_parameters","param":"language_code"}}`, ports.KindUnsupported, ports.ScopeCall, "invalid_parameters"},
		"other parameter":       {400, `{"detail":{"code":"invalid_parameters","status":"invalid_parameters","param":"keyterms"}}`, ports.KindInvalid, ports.ScopeCall, "invalid_parameters"},
		"finer word, unknown":   {400, `{"detail":{"code":"invalid_parameters","status":"something_finer"}}`, ports.KindInvalid, ports.ScopeCall, "something_finer"},
		"text too long":         {400, `{"detail":{"status":"max_character_limit_exceeded"}}`, ports.KindUnsupported, ports.ScopeCall, "max_character_limit_exceeded"},
		"file too large":        {413, ``, ports.KindUnsupported, ports.ScopeCall, ""},
		"422":                   {422, `{"detail":[{"loc":["body"],"msg":"` + said + `"}]}`, ports.KindInvalid, ports.ScopeCall, ""},
		"terms of service":      {400, `{"detail":{"status":"bad_prompt"}}`, ports.KindBlocked, ports.ScopeCall, "bad_prompt"},
		"500":                   {500, `{"detail":{"status":"internal_error"}}`, ports.KindTransient, ports.ScopeCall, "internal_error"},
		"502 of a proxy":        {502, `<html>` + said, ports.KindTransient, ports.ScopeCall, ""},
		"a sentence as a code":  {400, `{"detail":{"status":"` + said + `","code":"` + said + `"}}`, ports.KindInvalid, ports.ScopeCall, ""},
		"wrong types":           {400, `{"detail":{"status":400,"code":["x"]}}`, ports.KindInvalid, ports.ScopeCall, ""},
		"redirect":              {307, ``, ports.KindUnknown, ports.ScopeCall, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t).answers(c.status, c.body, "Request-Id", "abc-123", "Retry-After", "7", "Location", "/elsewhere")
			_, err := s.tts().Synthesize(t.Context(), said, ports.TTSOptions{})
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.kind, e.Kind)
			assert.Equal(t, c.scope, e.Scope)
			assert.Equal(t, c.code, e.Code)
			assert.Equal(t, 7*time.Second, e.RetryAfter)
			assert.Equal(t, 1, s.count(), "a redirect is not followed and nothing is repeated")
			assert.Contains(t, err.Error(), "request id abc-123")
			for _, secret := range []string{said, testKey, s.URL, "opus_48000", "Forbidden"} {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestRequestIDIsShownOnlyWhenItIsOne(t *testing.T) {
	s := newServer(t).answers(http.StatusBadRequest, `{"detail":{"request_id":"3c807fc4c3a1705f9638ecc764a91c01"}}`, "Request-Id", "not an id, but a sentence")
	_, err := s.tts().Synthesize(t.Context(), "Hello.", ports.TTSOptions{})
	assert.EqualError(t, err, "elevenlabs.tts: invalid: HTTP status 400, request id 3c807fc4c3a1705f9638ecc764a91c01")
}

func TestServerThatIsNotThere(t *testing.T) {
	s := newServer(t)
	voice := s.tts()
	s.Close()
	_, err := voice.Synthesize(t.Context(), "the code of the safe is 4711", ports.TTSOptions{})
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	var e *ports.Error
	require.True(t, errors.As(err, &e))
	assert.False(t, e.MaybeDone)
	assert.NotContains(t, err.Error(), "http")
}
