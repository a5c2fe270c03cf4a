// Package googletts speaks with Google Cloud Text-to-Speech, through
// cloud.google.com/go/texttospeech.
//
// One request is one clip: SynthesizeSpeech takes up to 5,000 bytes of text and
// returns Ogg/Opus, WAV (LINEAR16) or MP3. Text goes out as plain text and never as
// SSML, so nothing a language model writes is a command to the voice. What comes back
// is looked at before it is handed on: it must be mono, sound and of some length.
//
// The library's own retries and its logger are switched off. What it does read from
// the environment are Google's application default credentials:
// GOOGLE_APPLICATION_CREDENTIALS, the file of `gcloud auth application-default
// login`, or the metadata server of Google Cloud.
package googletts
