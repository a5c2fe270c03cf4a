// Package telemetry makes the program's logger and turns what happens to turns
// into log events with stable names.
//
// The cloud format is what Cloud Logging and Error Reporting understand on
// standard output; the console format is for people. Both keep the same rules: a
// line is bounded, a field whose key begins with "pii." is never written, and
// people and messages appear as keyed hashes only (see [Refs]).
package telemetry
