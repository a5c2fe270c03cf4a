// Package app is the application: what the bot does with a message, told through
// ports only.
//
// It has a fast half and a slow half. Intake stores what a webhook said and
// returns, so that Meta gets its 200. Worker leases conversations that have
// something waiting and lets Responder answer them: understand, answer, speak,
// send, remember. Responder.Handle, and session.bring behind it, show the order.
//
// Thousands of turns wait for a model at once, each on its goroutine's stack. Functions
// marked noinline are not part of that wait: inlined, their variables would be.
package app
