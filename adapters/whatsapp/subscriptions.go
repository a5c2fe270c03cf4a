package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"whatsappnode/ports"
)

const opSubscriptions = "whatsapp.subscriptions"

// The webhook fields the bot lives on: what people write and what became of our sends,
// and what the business itself writes to them.
const (
	FieldMessages  = "messages"
	FieldAppEchoes = "smb_message_echoes" // from the WhatsApp Business app or a linked device
	FieldEchoes    = "message_echoes"     // from another program on the number
)

// WebhookFields tells the webhook fields of WhatsApp accounts that the app of the access
// token is subscribed to (Graph API, "/app" and "/{app-id}/subscriptions"). The second
// call wants the app's own token, which is made of its id and its secret: with the secret
// of another app it is KindDenied. Two calls of numberTimeout each. It may be called
// concurrently.
func (m *Messenger) WebhookFields(ctx context.Context, appSecret string) ([]string, error) {
	var app struct{ ID string }
	err := m.do(ctx, call{
		op: opSubscriptions, method: http.MethodGet, path: []string{"app"}, query: url.Values{"fields": {"id"}}, timeout: numberTimeout, out: &app,
	})
	if err != nil {
		return nil, err
	}
	if !isObjectID(app.ID) {
		return nil, &ports.Error{Op: opSubscriptions, Kind: ports.KindTransient, Err: errors.New("the answer could not be read")}
	}
	var answer struct {
		Data []struct {
			Object string
			Active *bool
			Fields []json.RawMessage
		}
	}
	err = m.do(ctx, call{
		op: opSubscriptions, method: http.MethodGet, path: []string{app.ID, "subscriptions"}, timeout: numberTimeout,
		token: app.ID + "|" + appSecret, out: &answer,
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range answer.Data {
		if s.Object != businessAccount || s.Active != nil && !*s.Active {
			continue
		}
		for _, raw := range s.Fields {
			out = append(out, fieldName(raw))
		}
	}
	return out, nil
}

// fieldName reads a field, which is an object with its name and version, and was a plain
// string in older answers.
func fieldName(raw json.RawMessage) string {
	var named struct{ Name string }
	var plain string
	if json.Unmarshal(raw, &named) != nil {
		_ = json.Unmarshal(raw, &plain) // what is neither has no name
	}
	return firstOf(named.Name, plain)
}
