// Package offline holds demo engines that need no account and no network: an ear
// (pocketsphinx, English), a voice (flite for English, espeak-ng for the rest,
// encoded by opusenc) and a model that only repeats what it was told, and says so.
// They let the whole voice turn be heard on one machine; they are not good enough
// for users.
//
// The engines are Debian programs, found once at construction and run by their
// absolute path with fixed arguments, never through a shell. Words and sound reach
// them by standard input only, because arguments can be read by every user of the
// machine. They get no environment of ours, are killed with everything they
// started when the context ends, and may neither run in any number nor answer at
// any length.
package offline
