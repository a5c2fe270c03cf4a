// Package app is the application: what the bot does with a message, told through
// ports only.
//
// It has a fast half and a slow half. Intake stores what a webhook said and
// returns, so that Meta gets its 200. Worker leases conversations that have
// something waiting and lets Responder answer them: understand, answer, speak,
// send, remember. Responder.Handle is the one function that shows the order.
package app
