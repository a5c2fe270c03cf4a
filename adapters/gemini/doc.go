// Package gemini talks to Google's Gemini API with the library
// github.com/google/generative-ai-go. It holds LLM, a ports.LLMPort.
//
// Support for that library ended on 2025-08-31, and google.golang.org/genai is its
// successor. It still serves for chat: text, images and documents in, a stream of
// text out. There are no tools (function calling) here: the library loses the
// thought signatures that current models want back with a tool's result. The
// module cloud.google.com/go/ai must stay at v0.8.0; with later ones the library
// does not compile.
//
// What the library does badly is mended on both sides of it. A transport of ours
// puts the key into a header, where the library would put it into the URL, and
// bounds what is read. The answer passes through a filter that drops the parts
// the library stumbles over, and that tells a stream which broke off from one that
// ended, which the library does not. Its cache client, which would dial as soon as
// it is made and could not be closed, is given nothing to dial with.
package gemini
