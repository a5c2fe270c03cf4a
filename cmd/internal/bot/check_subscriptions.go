package bot

import (
	"context"
	"slices"
	"strings"

	"whatsappnode/adapters/whatsapp"
)

// echoesToDo says what the bot cannot step back for people without.
const echoesToDo = "subscribe the app to the webhook fields " + whatsapp.FieldAppEchoes + " and " + whatsapp.FieldEchoes +
	", in Meta's App Dashboard; docs/takeover.md says what for"

// subscriptions adds to what is known of a number which webhooks Meta sends of it. Without
// the field messages nobody is heard. Without the echoes the bot does not notice that
// people answer, which matters most where they have the number in their phones.
func (c *checker) subscriptions(ctx context.Context, f *finding, m *whatsapp.Messenger, a agent, n whatsapp.Number) {
	fields, known := webhookFields(ctx, m, appSecrets(a)())
	has := func(name string) bool { return slices.Contains(fields, name) }
	read := []string{}
	for _, name := range []string{whatsapp.FieldMessages, whatsapp.FieldAppEchoes, whatsapp.FieldEchoes} {
		if has(name) {
			read = append(read, name)
		}
	}
	detail := f.Detail + ", webhook fields " + strings.Join(read, " ")
	switch {
	case !known:
		f.Detail += ", webhook fields could not be asked for"
		if n.OnBizApp && f.Result == resultOK {
			f.warn(f.Detail+", people use the number in the WhatsApp Business app", "see that the app is subscribed to what it needs: "+echoesToDo)
		}
	case !has(whatsapp.FieldMessages):
		f.fail(f.Detail+", not subscribed to the webhook field "+whatsapp.FieldMessages,
			"subscribe the app of "+a.variable(varAppSecret)+" to the webhook field "+whatsapp.FieldMessages+", in Meta's App Dashboard: nothing that people write comes without it")
	case f.Result != resultOK:
		f.Detail = detail
	case n.OnBizApp && !has(whatsapp.FieldAppEchoes):
		f.warn(detail+", people use the number in the WhatsApp Business app", "the bot talks over people who answer there: "+echoesToDo)
	default:
		f.ok(detail)
		if !has(whatsapp.FieldAppEchoes) || !has(whatsapp.FieldEchoes) {
			f.ToDo = "if people answer at this number, too: " + echoesToDo
		}
	}
}

// webhookFields asks with each secret of the app: while one is being rotated, only one is
// Meta's.
func webhookFields(ctx context.Context, m *whatsapp.Messenger, secrets []string) ([]string, bool) {
	for _, s := range secrets {
		if fields, err := m.WebhookFields(ctx, s); err == nil {
			return fields, true
		}
	}
	return nil, false
}
