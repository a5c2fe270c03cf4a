// Package openai speaks the API of OpenAI with whoever offers it: OpenAI itself,
// OpenRouter, Groq, vLLM, Ollama and llama.cpp for the language model, whisper.cpp
// and faster-whisper servers for the ear, Kokoro and its kind for the voice. A base
// URL chooses the server; LLM, STT and TTS each have their own.
//
// Chat and speech requests are made by github.com/sashabaranov/go-openai. It never
// sees a failed answer, because its errors quote the body; and it does not read
// streams, because its reader counts keep-alive comments as faults, drops a last
// line without a newline and loses an error that follows a comment. Transcriptions
// are requested without it: it has no field for the list of languages, and expects
// a number where vLLM sends a text.
//
// Servers differ in what they refuse, so that what is sent is a setting wherever a
// server is known to answer 400: see the fields of LLMConfig, STTConfig and
// TTSConfig. When a server names the parameter it does not like, the error says
// which.
//
// OpenAI retires models often and tells the dates on its page "Deprecations". As it
// stands there, its speech models (tts-1, tts-1-hd, gpt-4o-mini-tts) end on
// 2027-01-06 without a successor on this endpoint, and whisper-1 on 2027-02-26, for
// which gpt-transcribe takes over. Other servers keep both endpoints.
//
// Nothing is retried, logged or read from the environment here. The package's own
// HTTP client uses a proxy where the environment names one.
package openai
