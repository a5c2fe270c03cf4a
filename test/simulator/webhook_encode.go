package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodeWebhook writes JSON the way Meta's webhooks do: ASCII only with lower-case \uXXXX (surrogate pairs beyond the basic
// plane), "/" as "\/", and no escaping of < > &. The order of members is that of v.
func EncodeWebhook(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode webhook: %w", err)
	}
	return escapeLikeMeta(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// escapeLikeMeta rewrites every string of valid JSON into the one spelling Meta uses, whatever spelling it came in.
func escapeLikeMeta(in []byte) []byte {
	out := make([]byte, 0, len(in)+len(in)/8)
	inString := false
	for i := 0; i < len(in); {
		c := in[i]
		switch {
		case !inString || c == '"':
			if c == '"' {
				inString = !inString
			}
			out = append(out, c)
			i++
		case c == '\\':
			r, n := unescape(in[i:])
			out = appendEscaped(out, r)
			i += n
		default:
			r, n := utf8.DecodeRune(in[i:])
			out = appendEscaped(out, r)
			i += n
		}
	}
	return out
}

// unescape reads one escape sequence and says how long it was. A lone surrogate stays as it is.
func unescape(in []byte) (rune, int) {
	switch in[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r := hexRune(in[2:6])
		if utf16.IsSurrogate(r) && len(in) >= 12 && in[6] == '\\' && in[7] == 'u' {
			if pair := utf16.DecodeRune(r, hexRune(in[8:12])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return r, 6
	}
	return rune(in[1]), 2 // quote, backslash, slash
}

func hexRune(in []byte) rune {
	var b [2]byte
	_, _ = hex.Decode(b[:], in) // the JSON encoder let only hex through
	return rune(b[0])<<8 | rune(b[1])
}

func appendEscaped(out []byte, r rune) []byte {
	switch r {
	case '"', '\\', '/':
		return append(out, '\\', byte(r))
	case '\b':
		return append(out, `\b`...)
	case '\f':
		return append(out, `\f`...)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	}
	switch {
	case r >= 0x20 && r < 0x80:
		return append(out, byte(r))
	case r > 0xffff:
		hi, lo := utf16.EncodeRune(r)
		return fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
	}
	return fmt.Appendf(out, `\u%04x`, r)
}

// Sign returns the value of X-Hub-Signature-256 for exactly these bytes.
func Sign(appSecret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// kindEchoes are messages of the business from another device.
const kindEchoes = "message_echoes"

// update is one thing to tell the bot: a message or a status, with the contact that belongs to it.
type update struct {
	kind    string // messages, statuses, errors
	user    string
	id      string          // wamid
	lane    string          // updates of one lane are delivered one after the other
	contact json.RawMessage // nil: none
	body    json.RawMessage
	acked   func(ok bool) // called with the lock held once the webhook was answered with 200 or given up; may be nil
}

const maxUpdatesPerPost = 1000

// envelope packs updates into one webhook body. Neighbours of one user share a change; two changes share an entry, so that
// a batch exercises every level at which Meta batches.
func (s *Simulator) envelope(updates []update) ([]byte, error) {
	metadata := obj("display_phone_number", s.cfg.DisplayPhone, "phone_number_id", s.cfg.PhoneNumberID)
	var changes []object
	for i := 0; i < len(updates); {
		first := updates[i]
		var bodies []json.RawMessage
		for i < len(updates) && sameChange(first, updates[i]) {
			bodies = append(bodies, updates[i].body)
			i++
		}
		value := obj("messaging_product", "whatsapp", "metadata", metadata)
		if first.contact != nil {
			value.set("contacts", []json.RawMessage{first.contact})
		}
		value.set(first.kind, bodies)
		webhookField := "messages"
		if first.kind == kindEchoes {
			webhookField = "smb_message_echoes"
		}
		changes = append(changes, obj("value", value, "field", webhookField))
	}
	return EncodeWebhook(wrapChanges(s.cfg.WABAID, changes))
}

func sameChange(a, b update) bool {
	return a.kind == b.kind && a.user == b.user && bytes.Equal(a.contact, b.contact)
}

func wrapChanges(waba string, changes []object) object {
	var entries []object
	for i := 0; i < len(changes); i += 2 {
		entries = append(entries, obj("id", waba, "changes", changes[i:min(i+2, len(changes))]))
	}
	return obj("object", "whatsapp_business_account", "entry", entries)
}

// contactOf is the contacts[] element of a user. Status webhooks name the username only for delivered and read.
func contactOf(u *user, withUsername bool) json.RawMessage {
	profile := obj("name", u.Name)
	if u.Username != "" && withUsername {
		profile.set("username", u.Username)
	}
	c := obj("profile", profile)
	if u.Phone != "" {
		c.set("wa_id", u.Phone)
	}
	c.set("user_id", u.UserID)
	if u.ParentUserID != "" {
		c.set("parent_user_id", u.ParentUserID)
	}
	return mustJSON(c)
}
