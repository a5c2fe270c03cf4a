// Package pcm is what the Opus encoders have in common: it brings a clip of WAV,
// raw PCM, MP3 or Ogg/Opus to mono 16-bit samples at a rate that Opus takes, and
// holds the part of an encoder that does not depend on the codec.
//
// Clips are walked and checked as a whole before anything is decoded, and nothing
// is allocated by a length that the data merely claims. MP3 is read frame by frame
// here (tags, remarks of the encoder, cut files) and decoded by go-mp3, whose
// panics end here.
//
// Functions may be called concurrently.
package pcm
