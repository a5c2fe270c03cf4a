package agentsfile

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The file as it is written. A field with a setting tag stands for that environment
// variable; one with a doc tag has a meaning of its own.
type (
	file struct {
		Agents []agent `yaml:"agents"`
	}
	agent struct {
		PhoneNumberID   text            `yaml:"phone_number_id" doc:"Id of the business phone number (not the number itself), in quotes. Required, and each only once."`
		Name            text            `yaml:"name" doc:"What you call it; the log does, too. Left out: the id."`
		AccessTokenFrom text            `yaml:"access_token_from" doc:"Name of the variable that holds the token which sends from this number and fetches its media."`
		AppSecretFrom   text            `yaml:"app_secret_from" doc:"Name of the variable that holds the secret of the Meta app which delivers this number's webhooks; two secrets, comma-separated, while one replaces the other."`
		VerifyTokenFrom text            `yaml:"verify_token_from" doc:"Name of the variable that holds the word Meta repeats when the webhook address is saved."`
		SystemPrompt    text            `yaml:"system_prompt" setting:"SYSTEM_PROMPT"`
		Languages       list            `yaml:"languages" setting:"LANGUAGES"`
		Voice           map[string]text `yaml:"voice" doc:"The voice for each language, by the name its vendor gives it. It is a voice of the first provider that speaks; those that take over use their own."`
		Vendors         vendors         `yaml:"vendors"`
		ReplyMode       text            `yaml:"reply_mode" setting:"REPLY_MODE"`
		SendAside       text            `yaml:"send_aside" setting:"SEND_ASIDE"`
		FallbackMessage text            `yaml:"fallback_message" setting:"FALLBACK_MESSAGE"`
		OutputChecks    list            `yaml:"output_checks" setting:"OUTPUT_CHECKS"`
		FiltersIn       list            `yaml:"filters_in" setting:"FILTERS_IN"`
		FiltersOut      list            `yaml:"filters_out" setting:"FILTERS_OUT"`
		ScopeGuard      text            `yaml:"scope_guard" setting:"SCOPE_GUARD"`
		Tools           list            `yaml:"tools" setting:"TOOLS"`
		PauseFor        text            `yaml:"pause_for" setting:"PAUSE_FOR"`
		OptOutWords     list            `yaml:"opt_out_words" setting:"OPT_OUT_WORDS"`
		OptInWords      list            `yaml:"opt_in_words" setting:"OPT_IN_WORDS"`
		Handoff         text            `yaml:"handoff" setting:"HANDOFF"`
		HandoffWords    list            `yaml:"handoff_words" setting:"HANDOFF_WORDS"`
		AllowedUsers    list            `yaml:"allowed_users" setting:"ALLOWED_USERS"`
		BlockedUsers    list            `yaml:"blocked_users" setting:"BLOCKED_USERS"`
		Limits          limits          `yaml:"limits"`
		Budget          budget          `yaml:"budget"`
	}
	vendors struct {
		LLM list `yaml:"llm" setting:"LLM_PROVIDER"`
		STT list `yaml:"stt" setting:"STT_PROVIDER"`
		TTS list `yaml:"tts" setting:"TTS_PROVIDER"`
	}
	budget struct {
		UserDay   text `yaml:"user_day" setting:"BUDGET_USER_DAY"`
		NumberDay text `yaml:"number_day" setting:"BUDGET_NUMBER_DAY"`
	}
	limits struct {
		TurnTimeout     text `yaml:"turn_timeout" setting:"TURN_TIMEOUT"`
		BurstWindow     text `yaml:"burst_window" setting:"BURST_WINDOW"`
		BurstUnfinished text `yaml:"burst_unfinished" setting:"BURST_UNFINISHED"`
		BurstLimit      text `yaml:"burst_limit" setting:"BURST_LIMIT"`
		HistoryMessages text `yaml:"history_messages" setting:"HISTORY_MESSAGES"`
		HistoryTokens   text `yaml:"history_tokens" setting:"HISTORY_TOKENS"`
		MaxSpokenChars  text `yaml:"max_spoken_chars" setting:"MAX_SPOKEN_CHARS"`
		MaxTokens       text `yaml:"max_tokens" setting:"MAX_TOKENS"`
		Temperature     text `yaml:"temperature" setting:"TEMPERATURE"`
		MinConfidence   text `yaml:"min_confidence" setting:"MIN_CONFIDENCE"`
		RateMessages    text `yaml:"rate_limit_messages" setting:"RATE_LIMIT_MESSAGES"`
		RateEvery       text `yaml:"rate_limit_every" setting:"RATE_LIMIT_EVERY"`
		MaxClip         text `yaml:"max_clip" setting:"MAX_CLIP"`
		MaxAnswer       text `yaml:"max_answer_chars" setting:"MAX_ANSWER_CHARS"`
		LoopTurns       text `yaml:"loop_turns" setting:"LOOP_TURNS"`
		LoopQuiet       text `yaml:"loop_quiet" setting:"LOOP_QUIET"`
		ToolCalls       text `yaml:"tool_calls" setting:"TOOL_CALLS"`
	}
)

// text is a scalar as it is written, whatever YAML would take it for.
type text struct {
	value string
	line  int  // 0: left out
	bad   bool // something else stands there, which is a fault already
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *text) UnmarshalYAML(n *yaml.Node) error {
	t.line = n.Line
	if n.Kind != yaml.ScalarNode {
		t.bad = true
		return misplaced(n.Line, "a text or a number belongs here")
	}
	t.value = n.Value
	return nil
}

// list is a sequence of scalars, joined with commas as an environment variable is.
type list struct{ text }

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *list) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return l.text.UnmarshalYAML(n)
	}
	l.line, l.bad = n.Line, true
	if n.Kind != yaml.SequenceNode {
		return misplaced(n.Line, "a list belongs here")
	}
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return misplaced(item.Line, "a list of texts belongs here")
		}
		items[i] = item.Value
	}
	l.value, l.bad = strings.Join(items, ","), false
	return nil
}

// misplaced is an error that the parser adds to the others it finds.
func misplaced(line int, problem string) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", line, problem)}}
}

// Key is one key of an agent.
type Key struct {
	// Path is the key with those above it, "limits.turn_timeout".
	Path string
	// Setting is the environment variable it stands for, or empty.
	Setting string
	// Doc says what a key means that stands for no variable.
	Doc string
}

// Keys lists what an agent may say, in the order of the manual.
func Keys() []Key {
	var out []Key
	fields(reflect.ValueOf(agent{}), "", func(k Key, _ text) { out = append(out, k) })
	return out
}

// fields visits every key of an agent. Those of voice are visited as one.
func fields(v reflect.Value, prefix string, visit func(k Key, t text)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		k := Key{Path: prefix + f.Tag.Get("yaml"), Setting: f.Tag.Get("setting"), Doc: f.Tag.Get("doc")}
		switch value := v.Field(i).Interface().(type) {
		case text:
			visit(k, value)
		case list:
			visit(k, value.text)
		case map[string]text:
			visit(k, text{})
		default:
			fields(v.Field(i), k.Path+".", visit)
		}
	}
}
