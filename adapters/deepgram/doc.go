// Package deepgram hears and speaks through Deepgram's HTTP API: STT is
// "Pre-Recorded Audio" (the Nova models), TTS is "Single Text Request" (the Aura
// voices).
//
// Facts of the protocol stand beside the code with the name of Deepgram's page they
// come from. Some of them decide how the package is used:
//
//   - A voice is a model, and each model speaks one language. A language without a
//     voice is KindUnsupported here and costs no call.
//   - A detected language that the model does not know is transcribed by an older
//     one ("Language Detection"), which refuses what only the newer one takes.
//
// The package makes one request a call, repeats nothing, and logs nothing. No error
// text holds the key, a URL, what was said or what the server wrote; of an answer's
// error only its code and request id are shown, after a look at their characters.
package deepgram
