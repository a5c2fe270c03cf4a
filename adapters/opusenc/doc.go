// Package opusenc encodes voice notes with the program opusenc of Debian's
// opus-tools. A build needs no C compiler for it, and a machine needs only the
// package.
//
// The program is found once at construction and run by its absolute path with fixed
// arguments, never through a shell. It gets samples on its standard input, no
// environment of ours, is killed with everything it started when the context ends,
// and may neither run in any number nor answer at any length.
package opusenc
