package bot_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/domain"
)

// change is what a webhook tells of one number.
func change(number, field, items string) string {
	return fmt.Sprintf(`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},`+
		`"contacts":[{"wa_id":"34600111222","user_id":"ES.1"}],%q:[%s]}}`, number, field, items)
}

func said(number, wamid string) string {
	return change(number, "messages", fmt.Sprintf(`{"from":"34600111222","from_user_id":"ES.1","id":%q,"timestamp":"%d","type":"text","text":{"body":"hi"}}`, wamid, time.Now().Unix()))
}

func delivered(number, wamid string) string {
	return change(number, "statuses", fmt.Sprintf(`{"id":%q,"status":"delivered","timestamp":"%d","recipient_id":"34600111222"}`, wamid, time.Now().Unix()))
}

func webhook(changes ...string) []byte {
	body := `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[`
	for i, c := range changes {
		if i > 0 {
			body += ","
		}
		body += c
	}
	return []byte(body + `]}]}`)
}

// threeNumbers are two of app A and one of app B.
func threeNumbers(t *testing.T, more ...string) echohttp.Webhook {
	t.Helper()
	w, err := bot.NewWebhook(from(agentsFile(t, two("")+`
  - phone_number_id: "203"
    access_token_from: B_TOKEN
    app_secret_from: A_SECRET
    verify_token_from: OTHER_VERIFY
`, append([]string{"OTHER_VERIFY", "other-verify"}, more...)...)))
	require.NoError(t, err)
	return w
}

// open verifies and decodes as the listener does.
func open(t *testing.T, w echohttp.Webhook, body []byte, secret string) domain.Envelope {
	t.Helper()
	require.NoError(t, w.Verify(body, whatsapp.Sign(secret, body)))
	env, err := w.Decode(body)
	require.NoError(t, err)
	require.Zero(t, bot.Waiting(w), "nothing stays behind")
	return env
}

func TestAppsSpeakForTheirNumbersOnly(t *testing.T) {
	w := threeNumbers(t)
	all := webhook(said("201", "wamid.1"), said("202", "wamid.2"), delivered("202", "wamid.3"), said("203", "wamid.4"), said("999", "wamid.5"), delivered("999", "wamid.6"))

	env := open(t, w, all, "secret-a")
	require.Len(t, env.Messages, 2)
	require.Equal(t, domain.MessageID("wamid.1"), env.Messages[0].ID)
	require.Equal(t, domain.MessageID("wamid.4"), env.Messages[1].ID)
	require.Empty(t, env.Statuses)
	require.ElementsMatch(t, []domain.OtherEvent{
		{Field: "messages", Reason: "foreign_number"},
		{Field: "messages", Reason: "foreign_number"},
		{Field: "messages", Reason: "unknown_number"},
		{Field: "messages", Reason: "unknown_number"},
	}, env.Others)

	env = open(t, w, all, "secret-b")
	require.Len(t, env.Messages, 1)
	require.Equal(t, domain.NumberID("202"), env.Messages[0].Number)
	require.Len(t, env.Statuses, 1)
	require.Len(t, env.Others, 4)
}

func TestWebhooksNobodySigned(t *testing.T) {
	w := threeNumbers(t, "WHATSAPP_APP_SECRET", "secret-of-no-number")
	body := webhook(said("201", "wamid.1"))
	for _, signature := range []string{"", "sha256=00", whatsapp.Sign("secret-of-no-number", body), whatsapp.Sign("", body), whatsapp.Sign("secret-a", append(body, ' '))} {
		require.ErrorIs(t, w.Verify(body, signature), whatsapp.ErrSignature)
	}
	_, err := w.Decode(body)
	require.Error(t, err, "what was not verified is not read")
}

func TestAppSecretsAreRotatedOneByOne(t *testing.T) {
	w := threeNumbers(t, "A_SECRET", "secret-new, secret-a")
	body := webhook(said("201", "wamid.1"))
	require.Len(t, open(t, w, body, "secret-a").Messages, 1)
	require.Len(t, open(t, w, body, "secret-new").Messages, 1)
	require.Empty(t, open(t, w, body, "secret-b").Messages)
}

func TestVerifyTokensOfAllNumbersOpen(t *testing.T) {
	w := threeNumbers(t)
	require.True(t, w.Token("verify-value"))
	require.True(t, w.Token("other-verify"))
	require.False(t, w.Token("another"))
	require.False(t, w.Token(""))
}

// TestOneBodySignedTwice: two apps that are subscribed to one account send the same
// body at the same moment. Each number is taken from its own app, whichever request
// is read first, and nothing is left behind.
func TestOneBodySignedTwice(t *testing.T) {
	w := threeNumbers(t)
	body := webhook(said("201", "wamid.1"), said("202", "wamid.2"))
	require.NoError(t, w.Verify(body, whatsapp.Sign("secret-a", body)))
	require.NoError(t, w.Verify(body, whatsapp.Sign("secret-b", body)))
	for range 2 {
		env, err := w.Decode(body)
		require.NoError(t, err)
		require.Len(t, env.Messages, 2, "both apps have said it")
	}
	_, err := w.Decode(body)
	require.Error(t, err)

	var barrier, done sync.WaitGroup
	barrier.Add(1)
	var mu sync.Mutex
	seen := map[domain.NumberID]int{}
	for _, secret := range []string{"secret-a", "secret-b", "secret-a", "secret-b"} {
		done.Go(func() {
			barrier.Wait()
			if w.Verify(body, whatsapp.Sign(secret, body)) != nil {
				t.Error("a good signature was refused")
			}
			env, err := w.Decode(body)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range env.Messages {
				seen[m.Number]++
			}
		})
	}
	barrier.Done()
	done.Wait()
	require.GreaterOrEqual(t, seen["201"], 2)
	require.GreaterOrEqual(t, seen["202"], 2)
	require.Zero(t, bot.Waiting(w))
}

// TestWithoutAFileEveryNumberIsTaken as it always was.
func TestWithoutAFileEveryNumberIsTaken(t *testing.T) {
	vars := good()
	vars["LLM_PROVIDER"], vars["STT_PROVIDER"], vars["TTS_PROVIDER"] = "fake", "fake", "fake"
	w, err := bot.NewWebhook(from(vars))
	require.NoError(t, err)
	body := webhook(said("201", "wamid.1"), said("999", "wamid.2"))
	require.NoError(t, w.Verify(body, whatsapp.Sign("secret-value", body)))
	env, err := w.Decode(body)
	require.NoError(t, err)
	require.Len(t, env.Messages, 2)
	require.Empty(t, env.Others)
}
