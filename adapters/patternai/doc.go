// Package patternai uses an agent's own HTTP services for hearing, thinking and
// speaking: POST /stt, POST /llm, POST /tts and GET /health under one address.
//
// The protocol is small, and what it does not have cannot be used:
//
//   - /stt takes the sound as the whole body with its Content-Type and, in the
//     header STT-Model, a model. It answers {"status","transcription","request_id"}.
//     There is no place for languages or a hint, and none for what was detected.
//   - /llm takes {"transcription","model_name","agent_id"}: the last message alone.
//     System instruction, earlier messages, temperature, a limit of tokens, the
//     language and the person are not part of it; the agent keeps its persona, and
//     if it remembers anything, then by itself. Media cannot be sent. The answer is
//     plain text that streams in; its first line, "request_id: ...", is not for the
//     user and is never passed on.
//   - /tts takes {"message"} and, in the header TTS-Model, a model, and answers with
//     a sound file, MP3 from the original services, whatever the caller would like.
//
// An optional key travels as a bearer token. The request id of a failed call is the
// Code of its error. The package makes one request a call, repeats nothing, and
// logs nothing; no error text holds the key, an address, what was said or what the
// server wrote.
package patternai
