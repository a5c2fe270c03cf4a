// Package fake holds adapters for every port that need no account, no network and
// no engine, and that fail on command.
//
// The vendors LLM, STT and TTS are scripted and have Knobs: latencies, errors by
// kind, hanging, cut streams, empty or corrupt answers. They understand each
// other: a clip made by TTS carries its words in a comment, which STT reads, so a
// whole voice turn can be followed by its words. They serve tests and benchmarks,
// and they let a deployment run with no keys. They take the time from package
// time, so that inside a testing/synctest bubble a minute passes in an instant.
//
// Store and Messenger are the in-memory store and chat network.
//
// Everything here may be used concurrently.
package fake
