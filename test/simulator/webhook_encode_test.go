package simulator_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestEncodeWebhookSpellsLikeMeta(t *testing.T) {
	for name, tc := range map[string]struct{ in, out string }{
		"slash":                   {`"a/b"`, `"a\/b"`},
		"slash escaped already":   {`"a\/b"`, `"a\/b"`},
		"latin":                   {`"café"`, `"caf\u00e9"`},
		"upper case hex":          {`"caf\u00E9"`, `"caf\u00e9"`},
		"emoji":                   {`"👍"`, `"\ud83d\udc4d"`},
		"emoji escaped already":   {`"\uD83D\uDC4D"`, `"\ud83d\udc4d"`},
		"lone surrogate":          {`"\ud83d!"`, `"\ud83d!"`},
		"html is left alone":      {`"<a&b>"`, `"<a&b>"`},
		"html escaped by others":  {`"\u003ca\u0026b\u003e"`, `"<a&b>"`},
		"controls":                {`"\b\f\n\r\t\u0001\u000a"`, `"\b\f\n\r\t\u0001\n"`},
		"quote and backslash":     {`"\"\\"`, `"\"\\"`},
		"line separator":          {`"\u2028"`, `"\u2028"`},
		"keys and order and nums": {`{"z/é":1.50,"a":[true,null,-2e3]}`, `{"z\/\u00e9":1.50,"a":[true,null,-2e3]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := simulator.EncodeWebhook(json.RawMessage(tc.in))
			require.NoError(t, err)
			require.Equal(t, tc.out, string(got))
		})
	}
}

func TestSignVectors(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{`{"object":"whatsapp_business_account","entry":[]}`, "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"},
		{`{"m":"audio\/ogg; codecs=opus","t":"caf\u00e9"}`, "2c47585bb6a6a7d5fe546e6f338f18361e37acef2e110bb4fd14edc17df4db44"},
		{`{"m":"audio/ogg; codecs=opus","t":"café"}`, "50fb88f23100924a0adb56e9da3438be6d8f5a58d0dca2476e774ccb7ff75d7e"},
	} {
		require.Equal(t, "sha256="+tc.want, simulator.Sign("test_app_secret", []byte(tc.body)))
	}
}

func TestEncodedVectorsMatchMeta(t *testing.T) {
	got, err := simulator.EncodeWebhook(json.RawMessage(`{"m":"audio/ogg; codecs=opus","t":"café"}`))
	require.NoError(t, err)
	require.Equal(t, "sha256=2c47585bb6a6a7d5fe546e6f338f18361e37acef2e110bb4fd14edc17df4db44", simulator.Sign("test_app_secret", got))
}

func FuzzEncodeWebhook(f *testing.F) {
	for _, s := range []string{"", "a/b", "é", "👍\u2028\x00", "\xff\xfe", `\"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in, err := json.Marshal(s)
		require.NoError(t, err)
		out, err := simulator.EncodeWebhook(s)
		require.NoError(t, err)
		for _, b := range out {
			require.Less(t, b, byte(0x80))
		}
		var want, got string
		require.NoError(t, json.Unmarshal(in, &want))
		require.NoError(t, json.Unmarshal(out, &got))
		require.Equal(t, want, got)
	})
}
