package offline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/offline"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const demo = "This is a demo without a language model. "

func TestDemoModelAnswers(t *testing.T) {
	user := func(text string) ports.LLMMessage { return ports.LLMMessage{Role: domain.RoleUser, Text: text} }
	bot := func(text string) ports.LLMMessage { return ports.LLMMessage{Role: domain.RoleAssistant, Text: text} }
	settings := " A setting puts a real model in my place."
	for _, c := range []struct {
		name     string
		messages []ports.LLMMessage
		want     string
	}{
		{"the first remark is told of the settings", []ports.LLMMessage{user("I like tea")}, demo + "You said: I like tea. That is 3 words." + settings},
		{"later remarks are not", []ports.LLMMessage{user("a"), bot("b"), user("I like tea!")}, demo + "You said: I like tea! That is 3 words."},
		{"one word", []ports.LLMMessage{user("a"), bot("b"), user("tea")}, demo + "You said: tea. That is 1 word."},
		{"a greeting", []ports.LLMMessage{user("a"), bot("b"), user("Good  Morning, bot")}, "Hello! " + demo + "You said: Good  Morning, bot. That is 3 words."},
		{"no greeting inside a word", []ports.LLMMessage{user("a"), bot("b"), user("this ship")}, demo + "You said: this ship. That is 2 words."},
		{"several remarks", []ports.LLMMessage{user("a"), bot("b"), user("one thing\n\n and another\nhi")}, "Hello! " + demo + "You said 3 things:\none thing\nand another\nhi. That is 5 words."},
		{"a question", []ports.LLMMessage{user("a"), bot("b"), user("Is it late?")}, demo + "You said: Is it late? That is 3 words. I cannot answer questions." + settings},
		{"a question in Chinese", []ports.LLMMessage{user("a"), bot("b"), user("几点？")}, demo + "You said: 几点？ That is 1 word. I cannot answer questions." + settings},
		{"memory", []ports.LLMMessage{user("I like tea"), bot("fine"), user("What did I say before?")}, demo + "You said: What did I say before? That is 5 words. Before that you said: I like tea."},
		{"no memory", []ports.LLMMessage{user("what did I say")}, demo + "You said: what did I say. That is 4 words. I remember nothing that you said before."},
		{"quoted end", []ports.LLMMessage{user("a"), bot("b"), user(`say "x"`)}, demo + `You said: say "x". That is 2 words.`},
		{"only pictures", []ports.LLMMessage{user("a"), bot("b"), {Role: domain.RoleUser, Media: make([]domain.Media, 2)}}, demo + "You sent 2 files that I cannot look at."},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the same request gets the same answer
				got, _, err := ports.Collect(offline.NewLLM().Generate(t.Context(), ports.LLMRequest{Messages: c.messages}))
				require.NoError(t, err)
				assert.Equal(t, c.want, got)
			}
		})
	}
}
