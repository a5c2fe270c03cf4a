// Package whatsapp speaks Meta's WhatsApp Business Cloud API: Messenger sends
// messages and fetches media over the Graph API, Verifier checks the signature of
// webhooks, and Decode reads them.
//
// What is written here about the protocol comes from Meta's pages, named beside
// each fact: "Create a webhook endpoint", "Messages webhooks reference", "Media",
// "Send messages", "Error codes", "Business-scoped user IDs".
//
// No error of this package holds a token, a URL, a phone number or message text.
package whatsapp
