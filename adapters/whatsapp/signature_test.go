package whatsapp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
)

const testSecret = "test_app_secret"

// vectors were computed with OpenSSL. The second and third say the same in JSON and
// differ in bytes: what is signed is the text as sent.
var vectors = []struct{ body, header string }{
	{`{"object":"whatsapp_business_account","entry":[]}`, "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"},
	{`{"m":"audio\/ogg; codecs=opus","t":"caf\u00e9"}`, "sha256=2c47585bb6a6a7d5fe546e6f338f18361e37acef2e110bb4fd14edc17df4db44"},
	{`{"m":"audio/ogg; codecs=opus","t":"café"}`, "sha256=50fb88f23100924a0adb56e9da3438be6d8f5a58d0dca2476e774ccb7ff75d7e"},
}

func verifier(t *testing.T, secrets ...string) *whatsapp.Verifier {
	t.Helper()
	v, err := whatsapp.NewVerifier(func() []string { return secrets })
	require.NoError(t, err)
	return v
}

func TestVerifyKnowsTheVectors(t *testing.T) {
	v := verifier(t, testSecret)
	for i, x := range vectors {
		require.NoError(t, v.Verify([]byte(x.body), x.header))
		assert.Equal(t, x.header, whatsapp.Sign(testSecret, []byte(x.body)))
		other := vectors[(i+1)%len(vectors)]
		assert.ErrorIs(t, v.Verify([]byte(x.body), other.header), whatsapp.ErrSignature)
	}
}

func TestVerifyRefuses(t *testing.T) {
	body, good := []byte(vectors[0].body), vectors[0].header
	for name, header := range map[string]string{
		"nothing":            "",
		"no digest":          "sha256=",
		"short":              good[:70],
		"long":               good + "0",
		"no prefix":          good[7:] + "0000000",
		"other algorithm":    "sha512=" + good[7:],
		"upper-case prefix":  "SHA256=" + good[7:],
		"not hex":            good[:70] + "g",
		"one digit changed":  good[:70] + "7",
		"space in front":     " " + good[:70],
		"two joined headers": good + "," + good,
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorIs(t, verifier(t, testSecret).Verify(body, header), whatsapp.ErrSignature)
		})
	}
	assert.Error(t, verifier(t, testSecret).Verify(append(body, ' '), good), "a byte was added")
}

func TestVerifyTakesTwoSecretsDuringRotation(t *testing.T) {
	body := []byte(vectors[0].body)
	secrets := []string{testSecret}
	v, err := whatsapp.NewVerifier(func() []string { return secrets })
	require.NoError(t, err)
	old, next := whatsapp.Sign(testSecret, body), whatsapp.Sign("next", body)
	assert.Error(t, v.Verify(body, next))
	secrets = []string{testSecret, "next"}
	assert.NoError(t, v.Verify(body, old))
	assert.NoError(t, v.Verify(body, next))
	secrets = []string{"next"}
	assert.Error(t, v.Verify(body, old))
	secrets = []string{"next", "next"}
	assert.NoError(t, v.Verify(body, next), "the same secret twice is one secret")
}

func TestVerifyNeverUsesAnEmptySecret(t *testing.T) {
	body := []byte(vectors[0].body)
	assert.Error(t, verifier(t, "", testSecret).Verify(body, whatsapp.Sign("", body)))
	assert.Error(t, verifier(t).Verify(body, whatsapp.Sign("", body)))
	_, err := whatsapp.NewVerifier(nil)
	assert.Error(t, err)
}

func TestVerifyToken(t *testing.T) {
	assert.True(t, whatsapp.VerifyToken("abc", "abc"))
	assert.False(t, whatsapp.VerifyToken("abd", "abc"))
	assert.False(t, whatsapp.VerifyToken("", "abc"))
	assert.False(t, whatsapp.VerifyToken("abcabc", "abc"))
	assert.False(t, whatsapp.VerifyToken("", ""), "an unset token lets nobody in")
}

func TestWebhookJoinsTheThree(t *testing.T) {
	token := "abc"
	w, err := whatsapp.NewWebhook(func() []string { return []string{testSecret} }, func() string { return token })
	require.NoError(t, err)
	assert.True(t, w.Token("abc"))
	token = "next"
	assert.False(t, w.Token("abc"))
	assert.NoError(t, w.Verify([]byte(vectors[0].body), vectors[0].header))
	_, err = w.Decode([]byte(vectors[0].body))
	assert.NoError(t, err)
	_, err = whatsapp.NewWebhook(nil, func() string { return "" })
	assert.Error(t, err)
	_, err = whatsapp.NewWebhook(func() []string { return nil }, nil)
	assert.Error(t, err)
}

// FuzzVerify: only the one signature of the body is accepted.
func FuzzVerify(f *testing.F) {
	for _, x := range vectors {
		f.Add(x.header, []byte(x.body))
	}
	f.Add("sha256="+strings.Repeat("0", 64), []byte(""))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		v, err := whatsapp.NewVerifier(func() []string { return []string{testSecret} })
		require.NoError(t, err)
		right := strings.EqualFold(header, whatsapp.Sign(testSecret, body)) && strings.HasPrefix(header, "sha256=")
		assert.Equal(t, right, v.Verify(body, header) == nil)
	})
}
