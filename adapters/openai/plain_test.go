package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

// TestEventsReadQuicklyTellTheSame: what is taken out of an event without reading all
// of it is what reading all of it gives.
func TestEventsReadQuicklyTellTheSame(t *testing.T) {
	plain := func(content string) string {
		return `{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":` + content + `},"logprobs":null,"finish_reason":null}]}`
	}
	for name, c := range map[string]struct {
		event, text string
		quick       bool
	}{
		"a word":                {plain(`" word"`), " word", true},
		"another":               {plain(`" other"`), " other", true},
		"letters of two bytes":  {plain(`" é漢"`), " é漢", true},
		"no letter at all":      {plain("\"a\xffb\""), "a\uFFFDb", false},
		"escapes":               {plain(`"a\"b\\n\u00e9\\"`), "a\"b\\n\u00e9\\", true},
		"a pair of surrogates":  {plain(`"\ud83d\ude00"`), "\U0001F600", true},
		"words like an error":   {plain(`"{\"error\":1,\"index\":1}"`), `{"error":1,"index":1}`, true},
		"empty":                 {plain(`""`), "", true},
		"null":                  {plain(`null`), "", false},
		"parts":                 {plain(`[{"type":"text","text":"x"}]`), "x", false},
		"white space":           {strings.ReplaceAll(plain(`"x"`), ":", ": "), "x", false},
		"a role first":          {`{"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null}]}`, "x", false},
		"the end":               {strings.Replace(plain(`"x"`), `"finish_reason":null`, `"finish_reason":"stop"`, 1), "x", false},
		"usage beside the text": {strings.Replace(plain(`"x"`), `"id":"c"`, `"usage":{"prompt_tokens":1,"completion_tokens":2}`, 1), "x", false},
		"another choice":        {strings.Replace(plain(`"x"`), `"index":0`, `"index":1`, 1), "", false},
		"two choices":           {`{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null},{"index":1,"delta":{"content":"y"},"finish_reason":null}]}`, "x", false},
		"reasoning beside it":   {strings.Replace(plain(`"x"`), `"delta":{`, `"delta":{"reasoning_content":"hm",`, 1), "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			text, quick, err := openai.ReadEvent(c.event)
			require.NoError(t, err)
			require.Equal(t, c.text, text)
			require.Equal(t, c.quick, quick)
			// The same after plain ones, whose surroundings are remembered.
			text, _, err = openai.ReadEvent(plain(`"before"`), plain(`"this"`), c.event)
			require.NoError(t, err)
			require.Equal(t, c.text, text)
		})
	}
	for _, broken := range []string{plain(`"x`), plain(`"\x"`), plain(`"x"`)[:90], `{"error":{"message":"no"}}`, strings.Replace(plain(`"x"`), `"id":"c"`, `"error":{"message":"no"}`, 1)} {
		_, _, err := openai.ReadEvent(plain(`"before"`), broken)
		require.Error(t, err, broken)
		require.Equal(t, ports.KindTransient, ports.KindOf(err), fmt.Sprint(err))
	}
}
