// Package simulator is a simulated WhatsApp cloud: the other side of the wire for the bot.
//
// It answers the Graph API calls a bot makes (messages, media, read receipts), posts signed webhooks to the bot and repeats
// them until it hears 200, walks every answer through its statuses, and serves a phone in the browser. It is a counterparty
// and not a helper: it imports nothing but the standard library, signs, encodes and validates by itself, and refuses what
// Meta refuses with errors of the same shape. Faults (duplicates, reordering, lost answers, late failures ...) are switches
// that can be turned while it runs.
//
// A Simulator is safe for concurrent use. Everything it remembers has a cap, see Config.
package simulator
