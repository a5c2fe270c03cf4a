// Package echohttp is the driving adapter of the bot: the public HTTP listener
// with Meta's webhook and the platform's probes, and a second listener for the
// operator.
//
// The webhook answers 200 only after [ports.IntakePort] said that everything in
// the request is durable. Every other outcome is an error that makes Meta deliver
// again, with a one-word JSON body that tells a stranger nothing.
//
// Nothing a stranger can do is unbounded. A body is capped before it is read, its
// memory is taken from a fixed budget, connections are counted, and time-outs
// close clients that dawdle. Memory for bodies is at most MaxConnections times
// 16 KiB plus MaxBodyMemory.
//
// Echo stays inside this package: no other package sees its types.
package echohttp
