package bot_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/agentsfile"
	"whatsappnode/app"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const exampleAgents = "../../../deployments/agents.example.yaml"

// agentsFile writes a file and gives the variables that lead to it.
func agentsFile(t *testing.T, content string, more ...string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agents.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	vars := map[string]string{
		"AGENTS_FILE": path, "LLM_PROVIDER": "fake", "STT_PROVIDER": "fake", "TTS_PROVIDER": "fake",
		"A_TOKEN": "token-a", "A_SECRET": "secret-a", "B_TOKEN": "token-b", "B_SECRET": "secret-b", "VERIFY": "verify-value",
	}
	for i := 0; i+1 < len(more); i += 2 {
		vars[more[i]] = more[i+1]
	}
	return vars
}

// two are two numbers of two apps, with room for more about the first.
func two(more string) string {
	return `agents:
  - phone_number_id: "201"
    name: Support
    access_token_from: A_TOKEN
    app_secret_from: A_SECRET
    verify_token_from: VERIFY
` + more + `
  - phone_number_id: "202"
    access_token_from: B_TOKEN
    app_secret_from: B_SECRET
    verify_token_from: VERIFY
`
}

func TestExampleOfAnAgentsFileIsTrue(t *testing.T) {
	content, err := os.ReadFile(exampleAgents)
	require.NoError(t, err)
	all, err := bot.Assemble(from(map[string]string{
		"AGENTS_FILE": exampleAgents, "SUPPORT_TOKEN": "t1", "ORDERS_TOKEN": "t2", "SUPPORT_SECRET": "s", "SHARED_VERIFY_TOKEN": "v",
		"LLM_PROVIDER": "fake", "STT_PROVIDER": "fake", "TTS_PROVIDER": "fake",
	}))
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "t1", all[0].Token.Current())
	require.Equal(t, "t2", all[1].Token.Current())
	require.Equal(t, app.ReplyMirror, all[0].Persona.ReplyMode)
	for _, k := range agentsfile.Keys() {
		name := k.Path[strings.LastIndex(k.Path, ".")+1:]
		require.Regexp(t, `(?m)^\s*(- )?`+name+`:`, string(content), "the example shows every key")
	}

	manual, err := os.ReadFile(manualFile)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(manual), "```yaml\n")
	snippet, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	_, err = agentsfile.Parse([]byte(snippet))
	require.NoError(t, err, "the manual's example")
}

// TestAgentsFileGivesEverything: none of the variables that describe one number is
// set.
func TestAgentsFileGivesEverything(t *testing.T) {
	all, err := bot.Assemble(from(agentsFile(t, two(`
    system_prompt: You help.
    languages: [es, en]
    vendors: {llm: [offline]}
    reply_mode: both
    send_aside: false
    fallback_message: Ahora no.
    pause_for: 3h
    opt_out_words: [Ya está]
    opt_in_words: [vuelve]
    handoff: true
    handoff_words: [Una Pérsona]
    allowed_users: [ES.77, "+34 600 111 222"]
    blocked_users: ["34600333444"]
    scope_guard: false
    output_checks: [contacts]
    filters_in: [pii]
    filters_out: [profanity, bias, pii]
    limits: {max_answer_chars: 900, rate_limit_messages: 3, rate_limit_every: 9s, max_clip: 90s, loop_turns: 5, loop_quiet: 6m, turn_timeout: 45s, burst_window: 2s, burst_unfinished: 3s, burst_limit: 4s, history_messages: 7, history_tokens: 70, max_spoken_chars: 77, max_tokens: 5, temperature: 0, min_confidence: 1}
`))))
	require.NoError(t, err)
	a, b := all[0], all[1]
	require.Equal(t, "Support", a.Name)
	require.Equal(t, domain.NumberID("201"), a.Number)
	p := a.Persona
	require.NotNil(t, p.LLM)
	p.LLM, p.STT, p.TTS = nil, nil, nil
	require.Len(t, p.FiltersIn, 1)
	require.Len(t, p.FiltersOut, 3)
	p.FiltersIn, p.FiltersOut = nil, nil
	require.Zero(t, *p.Temperature)
	p.Temperature = nil
	require.Equal(t, app.Persona{
		SystemPrompt: "You help.", Languages: domain.Languages{"es", "en"}, ReplyMode: app.ReplyBoth, Fallback: "Ahora no.",
		Memory: domain.Memory{Messages: 7, Tokens: 70}, TurnTimeout: 45 * time.Second, MaxSpokenChars: 77,
		Burst:     app.Burst{Window: 2 * time.Second, Unfinished: 3 * time.Second, Limit: 4 * time.Second},
		MaxTokens: 5, MinConfidence: 1,
		MaxAnswerChars: 900, Vetting: app.Vetting{Contacts: true},
		Rate: app.Rate{Messages: 3, Every: 9 * time.Second}, MaxClip: 90 * time.Second, Loop: app.Loop{Turns: 5, Quiet: 6 * time.Minute},
		PauseFor: 3 * time.Hour, StopWords: []string{"ya esta"}, StartWords: []string{"vuelve"}, Handing: app.Handing{On: true, Words: []string{"una persona"}},
		Allowed: app.People{"ES.77": true, "34600111222": true}, Blocked: app.People{"34600333444": true},
	}, p)
	require.Equal(t, map[string]string{"LLM": "offline", "STT": "fake", "TTS": "fake"}, a.Vendors)
	require.Equal(t, []string{"token-a", "secret-a", "verify-value"}, []string{a.Token.Current(), a.AppSecret.Current(), a.VerifyToken.Current()})

	require.Equal(t, "202", b.Name)
	require.Equal(t, app.ReplyVoice, b.Persona.ReplyMode, "left out everywhere: the default of the setting")
	require.Equal(t, app.DefaultFallback, b.Persona.Fallback)
	require.Nil(t, b.Persona.Temperature)
	require.Equal(t, "fake", b.Vendors["LLM"])
	require.Equal(t, "token-b", b.Token.Current())
}

func TestEnvironmentFillsWhatTheFileLeavesOut(t *testing.T) {
	dir := t.TempDir()
	prompt, token := filepath.Join(dir, "prompt"), filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(prompt, []byte("From a file."), 0o600))
	require.NoError(t, os.WriteFile(token, []byte("token-from-file"), 0o600))
	all, err := bot.Assemble(from(agentsFile(t, `agents:
  - phone_number_id: "201"
    access_token_from: C_TOKEN
    system_prompt: From the agents file.
  - phone_number_id: "202"
    reply_mode: text
`, "SYSTEM_PROMPT_FILE", prompt, "C_TOKEN_FILE", token, "REPLY_MODE", "mirror", "TURN_TIMEOUT", "7s",
		"WHATSAPP_ACCESS_TOKEN", "shared-token", "WHATSAPP_APP_SECRET", "shared-secret", "WHATSAPP_VERIFY_TOKEN", "shared-verify")))
	require.NoError(t, err)
	require.Equal(t, "From the agents file.", all[0].Persona.SystemPrompt, "it wins over both forms of the variable")
	require.Equal(t, "From a file.", all[1].Persona.SystemPrompt)
	require.Equal(t, app.ReplyMirror, all[0].Persona.ReplyMode)
	require.Equal(t, app.ReplyText, all[1].Persona.ReplyMode)
	require.Equal(t, 7*time.Second, all[1].Persona.TurnTimeout)
	require.Equal(t, "token-from-file", all[0].Token.Current())
	require.Equal(t, "shared-token", all[1].Token.Current())
	require.Equal(t, "shared-secret", all[0].AppSecret.Current())
	require.Equal(t, "shared-verify", all[1].VerifyToken.Current())
}

func TestWithoutAFileTheEnvironmentDescribesOne(t *testing.T) {
	vars := good()
	vars["LLM_PROVIDER"], vars["STT_PROVIDER"], vars["TTS_PROVIDER"] = "fake", "fake", "fake"
	vars["LANGUAGES"], vars["BURST_WINDOW"], vars["TEMPERATURE"], vars["MAX_TOKENS"] = "es, en", "3s", "1.5", "9"
	all, err := bot.Assemble(from(vars))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Empty(t, all[0].Number, "every number of the account")
	require.Equal(t, domain.Languages{"es", "en"}, all[0].Persona.Languages)
	require.Equal(t, app.Burst{Window: 3 * time.Second, Unfinished: 1500 * time.Millisecond, Limit: 15 * time.Second}, all[0].Persona.Burst)
	require.False(t, all[0].Persona.SendAside, "one message a turn")
	require.Equal(t, 1.5, *all[0].Persona.Temperature)
	require.Equal(t, 9, all[0].Persona.MaxTokens)
	require.Equal(t, 0.35, all[0].Persona.MinConfidence)
	require.Equal(t, "token-value", all[0].Token.Current())
}

// TestFaultsOfAnAgentsFile are listed with those of the environment, each with its
// place.
func TestFaultsOfAnAgentsFile(t *testing.T) {
	vars := agentsFile(t, `agents:
  - phone_number_id: "201"
    colour: red
    access_token_from: EAAGsesame
    app_secret_from: C_SECRET
    languages: [english]
    vendors: {llm: [nobody], tts: fake}
    reply_mode: sesame
    limits:
      turn_timeout: 45
      temperature: 3
      max_tokens: sesame
  - name: Orders
    access_token_from: MISSING_FILE_TOKEN
    app_secret_from: THREE
`, "STT_PROVIDER", "noone", "WORKERS", "0", "STORE", "sesame", "THREE", "a,b,c", "MISSING_FILE_TOKEN_FILE", filepath.Join(t.TempDir(), "sesame"),
		"WHATSAPP_PHONE_NUMBER_ID", "+1 555")
	delete(vars, "VERIFY")
	_, err := bot.Assemble(from(vars))
	require.ErrorIs(t, err, bot.ErrSettings)
	for _, want := range []string{
		"WORKERS must be at least 1",
		"STORE must be one of",
		"WHATSAPP_PHONE_NUMBER_ID must be digits only",
		"AGENTS_FILE line 3: colour is not known here",
		"AGENTS_FILE line 4: access_token_from must be the name of an environment variable",
		"AGENTS_FILE line 5: app_secret_from cannot be used: C_SECRET is not set",
		"AGENTS_FILE line 2: verify_token_from is left out, and WHATSAPP_VERIFY_TOKEN is not set",
		"AGENTS_FILE line 6: languages must hold language tags such as es or pt-BR",
		`AGENTS_FILE line 7: vendors.llm unknown provider "nobody"; known are`,
		"AGENTS_FILE line 8: reply_mode must be one of voice, text, mirror, both",
		"AGENTS_FILE line 10: limits.turn_timeout lacks its unit",
		"AGENTS_FILE line 11: limits.temperature must be at most 2",
		"AGENTS_FILE line 12: limits.max_tokens must be a whole number",
		"AGENTS_FILE line 13: phone_number_id is required",
		"AGENTS_FILE line 14: access_token_from cannot be used: MISSING_FILE_TOKEN_FILE: read secret: it names a file that does not exist",
		"AGENTS_FILE line 15: app_secret_from cannot be used: THREE holds 3 secrets",
		`STT_PROVIDER: unknown provider "noone"`,
	} {
		require.Contains(t, err.Error(), want)
	}
	require.NotContains(t, err.Error(), "WHATSAPP_ACCESS_TOKEN is required", "the file can give what is required without it")
	require.NotContains(t, err.Error(), "sesame")
	require.Equal(t, 1, strings.Count(err.Error(), "noone"), "a fault of the environment is told once")
}

func TestAgentsFileThatIsMissing(t *testing.T) {
	err := bot.Run(context.Background(), from(map[string]string{"AGENTS_FILE": "/sesame/agents.yaml"}), "", &bytes.Buffer{}, bot.Options{})
	require.ErrorIs(t, err, bot.ErrSettings)
	require.ErrorContains(t, err, "AGENTS_FILE names a file that does not exist")
	require.NotContains(t, err.Error(), "sesame")
	require.NotContains(t, err.Error(), "WHATSAPP_", "what the file may give is not asked for")
}

func TestLanguagesMustBeTags(t *testing.T) {
	vars := good()
	vars["LANGUAGES"] = "es, english"
	_, err := bot.Load(from(vars), "")
	require.ErrorContains(t, err, "LANGUAGES must hold language tags")
}

func TestNumbersThatNameOneVariableShareItsValue(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("first"), 0o600))
	vars := agentsFile(t, strings.ReplaceAll(two(""), "B_TOKEN", "A_TOKEN"), "A_TOKEN_FILE", token)
	delete(vars, "A_TOKEN")
	all, err := bot.Assemble(from(vars))
	require.NoError(t, err)
	require.Equal(t, all[0].Token, all[1].Token, "one handle, so that a rotation reaches both at once")
}

// mouth notes what it is asked to say.
type mouth struct {
	ports.TTSPort
	asked ports.TTSOptions
}

func (m *mouth) Synthesize(_ context.Context, _ string, opt ports.TTSOptions) (domain.Audio, error) {
	m.asked = opt
	return domain.Audio{}, nil
}

func TestVoiceFollowsTheLanguage(t *testing.T) {
	several := map[string]string{"es": "Lucia", "es-MX": "Paola", "en-US": "Joanna"}
	for _, c := range []struct {
		voices             map[string]string
		language, voice    string
		wantLang, wantName string
	}{
		{several, "es", "", "es", "Lucia"},
		{several, "es-AR", "", "es-AR", "Lucia"},
		{several, "es-mx", "", "es-mx", "Paola"},
		{several, "en-GB", "", "en-GB", "Joanna"},
		{several, "fr", "", "fr", ""},
		{several, "", "", "", ""},
		{several, "es", "Other", "es", "Other"},
		{map[string]string{"es": "Lucia"}, "", "", "es", "Lucia"},
	} {
		m := &mouth{}
		_, err := bot.WithVoices(m, c.voices).Synthesize(context.Background(), "x", ports.TTSOptions{Language: c.language, Voice: c.voice})
		require.NoError(t, err)
		require.Equal(t, ports.TTSOptions{Language: c.wantLang, Voice: c.wantName}, m.asked)
	}
	require.Nil(t, bot.WithVoices(nil, several))
	m := &mouth{}
	require.Equal(t, ports.TTSPort(m), bot.WithVoices(m, nil))
}
