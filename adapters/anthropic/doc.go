// Package anthropic talks to Claude over Anthropic's Messages API, with the
// official SDK. It holds LLM, a ports.LLMPort.
//
// The SDK is held on a short lead: it reads no environment variable and no
// profile file (both would choose another account or server behind the operator's
// back), repeats nothing, makes no trace of its own, and its errors, whose text
// holds the request's URL and the answer's body, do not leave this package.
package anthropic
