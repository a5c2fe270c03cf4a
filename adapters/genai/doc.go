// Package genai speaks to Gemini models through google.golang.org/genai: a
// language model (LLM), an ear (STT) and a voice (TTS), each on the Gemini API
// with an API key or on Vertex AI with Google Cloud credentials. One Config serves
// all three.
//
// The ear is a chat model that is told to write down what it hears and to answer
// in JSON. The voice is one of Gemini's text-to-speech models, which deliver PCM
// or WAV; an encoder makes the voice note of it.
//
// What the library does by itself is kept away from here. It re-sends requests
// whose answer broke off (automatic continuation): switched off, for a repeat is
// the decorators' business. It takes base URL, backend, project and key from
// variables such as GOOGLE_GEMINI_BASE_URL: all are set, so none is taken. It
// prints broken connections with the standard log package: it never sees one,
// because the transport keeps the error and shows it the end of the answer. It
// puts bodies and configuration into its errors' texts: none of these texts
// leaves this package. It panics on answers of an unexpected shape: that is
// caught. One line it prints by itself remains: when both GOOGLE_API_KEY and
// GEMINI_API_KEY are set it says so, without their values, while an engine is
// made.
//
// Names of models are settings: Google retires models within a year or so.
package genai
