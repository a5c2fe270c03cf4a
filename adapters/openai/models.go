package openai

import (
	"slices"
	"strings"
)

// How a token limit is sent.
const (
	// TokensAuto is max_completion_tokens for OpenAI's and Azure's servers and for
	// the reasoning models of OpenAI's wherever they run, max_tokens elsewhere.
	TokensAuto = "auto"
	// TokensOld is max_tokens, which every server but OpenAI's reasoning models knows.
	TokensOld = "max_tokens"
	// TokensNew is max_completion_tokens, which old servers ignore or refuse.
	TokensNew = "max_completion_tokens"
)

// EffortVendor leaves the reasoning effort to the vendor.
const EffortVendor = "default"

var (
	tokenFields = []string{TokensAuto, TokensOld, TokensNew}
	efforts     = []string{EffortVendor, "none", "minimal", "low", "medium", "high", "xhigh", "max"}
)

// bare is a model's name without the vendor's in front of it: routers write
// "openai/gpt-6-luna".
func bare(model string) string { return model[strings.LastIndex(model, "/")+1:] }

func startsWith(model string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(bare(model), p) })
}

// reasons reports whether a name is one of OpenAI's reasoning models, which refuse
// max_tokens.
func reasons(model string) bool { return startsWith(model, "o1", "o3", "o4", "gpt-5", "gpt-6") }

// effortFor is what is sent as reasoning_effort; empty sends nothing. The small
// models of the sixth generation think first unless told otherwise, and a chat waits
// for its first word.
func effortFor(setting, model string) string {
	switch {
	case setting == EffortVendor:
		return ""
	case setting == "" && startsWith(model, "gpt-6-luna", "gpt-6-sol"):
		return "none"
	}
	return setting
}

// fixedSampling reports whether a model refuses any temperature but its own.
func fixedSampling(model, effort string) bool {
	if startsWith(model, "gpt-6-luna", "gpt-6-sol") {
		return effort != "none"
	}
	return reasons(model)
}
