// Package oggopus reads, checks, joins and writes Opus audio in Ogg files, the form of a
// WhatsApp voice note (RFC 3533 for the pages, RFC 7845 for Opus in them, RFC
// 6716 for the packets).
//
// It works on whole clips in memory and trusts nothing in them: every page's
// checksum is verified, every packet's framing is checked, and nothing is
// allocated by a length that the data merely claims. Sample counts are at 48 kHz,
// the clock of Opus in Ogg, unless a name says otherwise.
//
// Functions may be called concurrently; a Reader or Writer belongs to one
// goroutine.
package oggopus
