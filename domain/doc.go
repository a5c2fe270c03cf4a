// Package domain is the pure core of whatsapp-node: what a message, a
// conversation, a turn and a reply are, and which moves they allow.
//
// Nothing here does I/O, reads a clock or starts a goroutine. Every instant is
// handed in, so a rule can be tested by calling it. Types guard themselves: a
// value that a constructor returned is valid, and a state machine refuses a
// move that is not in its table instead of trusting its caller.
package domain
