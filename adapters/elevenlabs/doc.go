// Package elevenlabs hears and speaks through ElevenLabs' HTTP API: STT is
// "Create transcript" (the Scribe models), TTS is "Create speech".
//
// Facts of the protocol stand beside the code with the name of ElevenLabs' page
// they come from. Some of them decide how the package is used:
//
//   - Voices, formats and models depend on the account's plan. Opus is asked for,
//     because a WhatsApp voice note is Opus; an account that may not have it is
//     given an MP3 or PCM format instead, which needs an encoder.
//   - A model speaks a fixed list of languages and refuses the others, which is
//     KindUnsupported here. eleven_flash_v2_5 speaks 32 ("Models").
//   - A spent quota is KindDenied for the whole account: no repeat mends it.
//
// The package makes one request a call, repeats nothing, and logs nothing. No
// error text holds the key, a URL, what was said or what the server wrote; of an
// answer's error only its code and request id are shown, after a look at their
// characters.
package elevenlabs
