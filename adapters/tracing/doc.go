// Package tracing follows a message with OpenTelemetry, from its webhook to "played".
//
// One trace spans processes and days without anything kept for it but ids: the
// webhook's traceparent is stored with the message and from there with the turn, and
// the traceparent of a send travels in the callback data that Meta repeats in every
// status. Spans hold measures, stable words and keyed hashes, never what was said, a
// number, a name or a key.
//
// Attempts at vendors have the attributes of the semantic conventions for generative
// AI (OpenTelemetry, "Semantic conventions for generative client AI spans"), so that
// backends know tokens and costs for what they are.
package tracing
