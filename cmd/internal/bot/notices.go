package bot

import (
	"fmt"
	"strings"
)

// notices says plainly which stages a demo engine serves, how to replace it, and
// what is missing. names maps a stage to its provider.
func notices(names map[string]string) []string {
	var out []string
	var doing, vars []string
	for _, s := range []struct{ stage, doing string }{
		{"STT", "hearing (pocketsphinx, English only)"},
		{"LLM", "thinking (a model that only repeats what it heard)"},
		{"TTS", "speaking (flite and espeak-ng)"},
	} {
		if names[s.stage] == "offline" {
			doing, vars = append(doing, s.doing), append(vars, s.stage+"_PROVIDER")
		}
	}
	if len(doing) > 0 {
		out = append(out, fmt.Sprintf("Demo engines do the %s. They are not for customers: set %s to replace them.", list(doing), list(vars)))
	}
	var lost []string
	if names["STT"] == "none" {
		lost = append(lost, "voice messages cannot be heard")
	}
	if names["TTS"] == "none" {
		lost = append(lost, "answers are text")
	}
	if hint := demoEngines.Probe().Hint(); len(lost) > 0 && hint != "" {
		out = append(out, fmt.Sprintf("Debian packages are missing, so %s. To install them: sudo %s", list(lost), hint))
	}
	return out
}

// list joins words as a sentence does.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
