package agentsfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/agentsfile"
	"whatsappnode/domain"
)

const whole = `
# two numbers
agents:
  - phone_number_id: "106500000000001"
    name: Support
    access_token_from: SUPPORT_TOKEN
    app_secret_from: SUPPORT_SECRET
    verify_token_from: SUPPORT_VERIFY
    system_prompt: |
      You help.
      Be kind.
    languages: [es, en-US]
    voice: {es: Lucia, EN_us: Joanna}
    vendors:
      llm: [genai, openai]
      stt: googlespeech
      tts: []
    reply_mode: mirror
    fallback_message: Ahora no.
    limits:
      turn_timeout: 45s
      burst_window: 2s
      history_messages: 10
      history_tokens: 2_000
      max_spoken_chars: 0800
      max_tokens: 400
      temperature: .4
      min_confidence: 5e-1
  - phone_number_id: 106500000000002
`

func TestParse(t *testing.T) {
	got, err := agentsfile.Parse([]byte(whole))
	require.NoError(t, err)
	require.Len(t, got.Agents, 2)
	a := got.Agents[0]
	require.Equal(t, 4, a.Line)
	require.Equal(t, domain.NumberID("106500000000001"), a.Number)
	require.Equal(t, "Support", a.Name)
	require.Equal(t, agentsfile.Value{Text: "SUPPORT_TOKEN", Key: "access_token_from", Line: 6}, a.AccessTokenFrom)
	require.Equal(t, "SUPPORT_SECRET", a.AppSecretFrom.Text)
	require.Equal(t, "SUPPORT_VERIFY", a.VerifyTokenFrom.Text)
	require.Equal(t, map[string]string{"es": "Lucia", "en-US": "Joanna"}, a.Voices)
	texts := map[string]string{}
	for name, v := range a.Settings {
		texts[name] = v.Text
	}
	require.Equal(t, map[string]string{
		"SYSTEM_PROMPT": "You help.\nBe kind.\n", "LANGUAGES": "es,en-US", "LLM_PROVIDER": "genai,openai", "STT_PROVIDER": "googlespeech",
		"REPLY_MODE": "mirror", "FALLBACK_MESSAGE": "Ahora no.", "TURN_TIMEOUT": "45s", "BURST_WINDOW": "2s", "HISTORY_MESSAGES": "10",
		"HISTORY_TOKENS": "2_000", "MAX_SPOKEN_CHARS": "0800", "MAX_TOKENS": "400", "TEMPERATURE": ".4", "MIN_CONFIDENCE": "5e-1",
	}, texts, "numbers are as they are written, and nothing is left out")
	require.Equal(t, agentsfile.Value{Text: "45s", Key: "limits.turn_timeout", Line: 21}, a.Settings["TURN_TIMEOUT"])

	b := got.Agents[1]
	require.Equal(t, 29, b.Line)
	require.Equal(t, domain.NumberID("106500000000002"), b.Number, "the quotes may be forgotten")
	require.Equal(t, "106500000000002", b.Name)
	require.Equal(t, agentsfile.Value{Key: "access_token_from"}, b.AccessTokenFrom, "it was left out")
	require.Empty(t, b.Settings)
}

func TestSharedPartsAreWrittenOnce(t *testing.T) {
	got, err := agentsfile.Parse([]byte(`agents:
  - &first
    phone_number_id: "1"
    system_prompt: Be kind.
    limits: &limits {max_tokens: 5}
  - <<: *first
    phone_number_id: "2"
  - phone_number_id: "3"
    limits: *limits
`))
	require.NoError(t, err)
	require.Equal(t, "Be kind.", got.Agents[1].Settings["SYSTEM_PROMPT"].Text)
	require.Equal(t, domain.NumberID("2"), got.Agents[1].Number)
	require.Equal(t, "5", got.Agents[2].Settings["MAX_TOKENS"].Text)
}

// TestFaults: each is found, in its line and in words, with the others.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"nothing":        {"", []string{"line 1: there is no agent"}},
		"comments":       {"# later\n", []string{"line 1: there is no agent"}},
		"no agents":      {"agents: []", []string{"line 1: there is no agent"}},
		"no mapping":     {"- 1\n- 2", []string{"line 1: keys with values belong here"}},
		"agents no list": {"agents: {a: b}", []string{"line 1: a list belongs here"}},
		"agent no keys":  {"agents:\n  - sesame", []string{"line 2: keys with values belong here"}},
		"empty agent":    {"agents:\n  -\n", []string{"line 2: an agent with nothing in it"}},
		"syntax":         {"agents:\n  - phone_number_id: \"1\n", []string{"line 2: found unexpected end of stream"}},
		"tabs":           {"agents:\n\t- phone_number_id: 1\n", []string{"line 2: found character that cannot start any token"}},
		"two documents":  {"agents: [{phone_number_id: 1}]\n---\nagents: []\n", []string{"line 2: a second document begins here"}},
		"unknown keys": {"agent: 1\nagents:\n  - phone_number_id: 1\n    colour: red\n    turn_timeout: 5s\n    limits: {speed: 5}\n", []string{
			"line 1: agent is not known here; known are agents",
			"line 4: colour is not known here; known are phone_number_id, name,",
			"line 5: turn_timeout is not known here; an agent has it as limits.turn_timeout",
			"line 6: speed is not known here; known are turn_timeout,",
		}},
		"key twice": {"agents:\n  - phone_number_id: 1\n    name: a\n    name: b\n", []string{`line 4: mapping key "name" already defined at line 3`}},
		"shapes": {"agents:\n  - phone_number_id: [1]\n    languages: {a: b}\n    limits: sesame\n    voice: sesame\n    system_prompt: {sesame: 1}\n    vendors: {llm: [[sesame]]}\n", []string{
			"line 2: a text or a number belongs here", "line 3: a list belongs here", "line 4: keys with values belong here",
			"line 5: keys with values belong here", "line 6: a text or a number belongs here", "line 7: a list of texts belongs here",
		}},
		"numbers": {"agents:\n  - name: a\n  - phone_number_id: +1 555\n  - phone_number_id: 7\n  - phone_number_id: 7\n", []string{
			"line 2: phone_number_id is required", "line 3: phone_number_id must be digits only", "line 5: phone_number_id is that of the agent in line 4",
		}},
		"secrets": {"agents:\n  - phone_number_id: 1\n    access_token_from: EAAGsesame\n    app_secret_from: 0123456789abcdef0123456789abcdef\n    verify_token_from: \"\"\n", []string{
			"line 3: access_token_from must be the name of an environment variable", "line 4: app_secret_from must be the name", "line 5: verify_token_from must be the name",
		}},
		"voices": {"agents:\n  - phone_number_id: 1\n    voice:\n      english: a\n      es:  \"\"\n      pt-BR: b\n      pt_br: c\n", []string{
			"line 4: a key of voice must be a language tag", "line 5: voice.es is empty", "line 7: voice.pt-BR is given twice",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := agentsfile.Parse([]byte(c.file))
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(c.want), "%s", err)
			for i, want := range c.want {
				require.True(t, strings.HasPrefix(lines[i], want), "%s\n is not\n%s", lines[i], want)
			}
			for _, value := range []string{"sesame", "0123456789abcdef"} {
				require.NotContains(t, err.Error(), value, "values may be secrets in the wrong place")
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agents.yaml")
	require.NoError(t, os.WriteFile(path, []byte(whole), 0o600))
	got, err := agentsfile.Load(path)
	require.NoError(t, err)
	require.Len(t, got.Agents, 2)

	_, err = agentsfile.Load(filepath.Join(dir, "missing"))
	require.EqualError(t, err, "names a file that does not exist")
	_, err = agentsfile.Load(dir)
	require.ErrorContains(t, err, "names a file that")
	require.NotContains(t, err.Error(), dir)
	require.NoError(t, os.WriteFile(path, []byte(whole+strings.Repeat("#", 5<<20)), 0o600))
	_, err = agentsfile.Load(path)
	require.ErrorContains(t, err, "more than 4 MiB")
}

func TestKeysHaveAMeaning(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range agentsfile.Keys() {
		require.NotEqual(t, k.Setting == "", k.Doc == "", "%s stands for a variable or has a meaning of its own", k.Path)
		require.False(t, seen[k.Path])
		seen[k.Path] = true
	}
	require.True(t, seen["vendors.llm"] && seen["limits.turn_timeout"] && seen["voice"])
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("agents:\n  - &a {phone_number_id: 1, voice: {es: x}}\n  - *a\n"))
	f.Add([]byte("agents: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := agentsfile.Parse(data)
		if err == nil && len(got.Agents) == 0 {
			t.Fatal("no agents and no fault")
		}
	})
}
