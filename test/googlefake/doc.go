// Package googlefake is a stand-in for Google's Speech-to-Text, version 1 and 2, and
// Text-to-Speech: one gRPC server of the published service definitions on the
// loopback interface, without TLS or credentials.
//
// It is strict: a request that Google would refuse, by the documentation of the
// services, is refused with the same status and a similar sentence. A clip is heard
// as the test says with Hears, else as the words in its TRANSCRIPT comment, which the
// voice of this server and the project's fake voice put there; a clip without such a
// comment is silence. Requests are recorded, faults are ordered with BreakSpeech and
// BreakVoice.
package googlefake
