package whatsapp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
)

const number = domain.NumberID("106500000000001")

// emptySHA is the checksum all media of the test data have, in hex.
const emptySHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

var ana = domain.Contact{UserID: "ES.13491208655302740001", Phone: "34600111222", Name: "Ana Ruiz"}

func webhook(t testing.TB, name string) []byte {
	t.Helper()
	return readFile(t, filepath.Join("testdata", "webhooks", name+".json"))
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return raw
}

// decodeOne decodes a webhook that holds one message and perhaps other events.
func decodeOne(t *testing.T, name string) (domain.Message, []domain.OtherEvent) {
	t.Helper()
	env, err := whatsapp.Decode(webhook(t, name))
	require.NoError(t, err)
	require.Len(t, env.Messages, 1)
	require.Empty(t, env.Statuses)
	require.NoError(t, env.Messages[0].Validate())
	return env.Messages[0], env.Others
}

func TestDecodeContent(t *testing.T) {
	note := domain.MediaRef{
		ID: "1003", Number: number, MIME: domain.MIMEOggOpus, SHA256: emptySHA,
		URL: "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1003&ext=1",
	}
	legacy, file := note, note
	legacy.URL, file.URL, file.MIME = "", "", "audio/mpeg"
	pic := func(mime string) domain.MediaRef {
		return domain.MediaRef{
			ID: "1004", Number: number, MIME: mime, SHA256: emptySHA,
			URL: "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1004",
		}
	}
	for name, want := range map[string]domain.Content{
		"text":                   domain.Text{Body: "Hola, ¿qué tal? ☕"},
		"text_referral":          domain.Text{Body: "Hi"},
		"audio_note":             domain.Voice{Media: note, Note: true},
		"audio_file":             domain.Voice{Media: file},
		"voice_legacy":           domain.Voice{Media: legacy, Note: true},
		"image":                  domain.Image{Media: pic("image/jpeg"), Caption: "my dog"},
		"video":                  domain.Video{Media: pic("video/mp4"), Caption: "c"},
		"document":               domain.Document{Media: pic("application/pdf"), Filename: "a.pdf", Caption: "c"},
		"sticker":                domain.Sticker{Media: pic("image/webp"), Animated: true},
		"location":               domain.Location{Latitude: 40.4, Longitude: -3.7, Name: "Café", Address: "Calle 1"},
		"location_current":       domain.Location{Latitude: 40.4, Longitude: -3.7},
		"contacts":               domain.Contacts{Names: []string{"Luis Vega", "Eva"}},
		"button_reply":           domain.ButtonReply{ID: "b1", Title: "Yes"},
		"list_reply":             domain.ListReply{ID: "r1", Title: "Row", Description: "d"},
		"flow_reply":             domain.FlowReply{Name: "flow", Body: "Sent", Response: `{"a":1}`},
		"button":                 domain.ButtonReply{ID: "P", Title: "T"},
		"reaction":               domain.Reaction{Target: "wamid.OUT1", Emoji: "👍"},
		"reaction_removed":       domain.Reaction{Target: "wamid.OUT1"},
		"reaction_removed_empty": domain.Reaction{Target: "wamid.OUT1"},
		"order": domain.Order{Catalog: "9", Note: "please", Items: []domain.OrderItem{
			{ProductID: "sku", Quantity: 2, Price: 30, Currency: "USD"}, {ProductID: "s2", Quantity: 1, Price: 2.5, Currency: "USD"},
		}},
		"system_number":   domain.System{Event: "user_changed_number", NewPhone: "34600999888"},
		"system_user_id":  domain.System{Event: "user_changed_user_id", NewUser: "ES.2"},
		"system_identity": domain.System{Event: "customer_identity_changed"},
		"request_welcome": domain.RequestWelcome{},
		"unsupported":     domain.Unsupported{Type: "poll_creation", Code: 131051},
		"unavailable":     domain.Unsupported{Type: "unsupported", Code: 131060},
		"unknown_legacy":  domain.Unsupported{Type: "unknown", Code: 131051},
		"media_too_big":   domain.Unsupported{Type: "video", Code: 131052},
		"edit":            domain.Edit{Target: "wamid.A", Content: domain.Text{Body: "corrected"}},
		"edit_unreadable": domain.Edit{Target: "wamid.A"},
		"revoke":          domain.Revoke{Target: "wamid.A"},
	} {
		t.Run(name, func(t *testing.T) {
			m, others := decodeOne(t, name)
			assert.Equal(t, want, m.Content)
			assert.Empty(t, others)
			assert.Equal(t, number, m.Number)
			assert.Equal(t, time.Unix(1795341600, 0).UTC(), m.SentAt)
			assert.Equal(t, ana.Phone, m.From.Phone)
		})
	}
}

func TestDecodeKnowsTheSender(t *testing.T) {
	for name, want := range map[string]domain.Contact{
		"text":          ana,
		"username_only": {UserID: ana.UserID, Name: ana.Name},
		"no_user_id":    {Phone: ana.Phone, Name: ana.Name},
		"wa_id_differs": {UserID: "MX.1", Phone: "525512345678", Name: ana.Name},
		"system_number": {Phone: ana.Phone},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := decodeOne(t, name)
			assert.Equal(t, want, m.From)
		})
	}
}

// A contact must never be lent to somebody else's message: the conversation is
// chosen by it.
func TestDecodeNeverMixesSendersUp(t *testing.T) {
	const head = `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},`
	for name, value := range map[string]string{
		"one contact, two writers": `"contacts":[{"wa_id":"1111","user_id":"US.1"}],"messages":[
			{"from":"1111","id":"a","timestamp":"1","type":"text","text":{"body":"x"}},
			{"from":"2222","id":"b","timestamp":"1","type":"text","text":{"body":"x"}}]`,
		"contact of another user id": `"contacts":[{"profile":{"name":"Else"},"wa_id":"2222","user_id":"US.1"}],"messages":[
			{"from":"2222","from_user_id":"US.2","id":"b","timestamp":"1","type":"text","text":{"body":"x"}}]`,
		"no contact fits": `"contacts":[{"wa_id":"1111","user_id":"US.1"},{"wa_id":"3333","user_id":"US.3"}],"messages":[
			{"from":"2222","id":"b","timestamp":"1","type":"text","text":{"body":"x"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			env, err := whatsapp.Decode([]byte(head + value + `}}]}]}`))
			require.NoError(t, err)
			last := env.Messages[len(env.Messages)-1]
			assert.Equal(t, domain.Phone("2222"), last.From.Phone)
			assert.NotEqual(t, domain.UserID("US.1"), last.From.UserID)
			assert.Empty(t, last.From.Name)
		})
	}
}

func TestDecodeContext(t *testing.T) {
	m, _ := decodeOne(t, "text_reply")
	assert.Equal(t, domain.MessageID("wamid.OUT1"), m.ReplyTo)
	assert.False(t, m.Forwarded)
	for _, name := range []string{"text_forwarded", "text_often_forwarded"} {
		m, _ = decodeOne(t, name)
		assert.True(t, m.Forwarded, name)
		assert.Empty(t, m.ReplyTo)
	}
	m, _ = decodeOne(t, "text_product")
	assert.Equal(t, domain.MessageID("wamid.P"), m.ReplyTo)
	m, _ = decodeOne(t, "text_group")
	assert.Equal(t, "GRP1", m.Group)
}

func TestDecodeAnswersTypesOfTomorrow(t *testing.T) {
	m, others := decodeOne(t, "type_of_tomorrow")
	assert.Equal(t, domain.Unsupported{Type: "hologram"}, m.Content)
	assert.Equal(t, ana, m.From)
	assert.Equal(t, []domain.OtherEvent{{Field: "messages", Reason: whatsapp.ReasonType}}, others)

	m, others = decodeOne(t, "interactive_unknown")
	assert.Equal(t, domain.Unsupported{Type: "call_permission_reply"}, m.Content)
	assert.Len(t, others, 1)
}

func TestDecodeStatuses(t *testing.T) {
	at := time.Unix(1795341605, 0).UTC()
	to := domain.Contact{UserID: ana.UserID, Phone: ana.Phone}
	pricing := &domain.Pricing{Billable: true, Category: "service", Type: "regular", Model: "PMP"}
	status := func(state domain.DeliveryState) domain.Status {
		return domain.Status{Message: "wamid.OUT1", Number: number, Recipient: to, State: state, At: at}
	}
	sent, delivered, played := status(domain.DeliverySent), status(domain.DeliveryDelivered), status(domain.DeliveryPlayed)
	sent.Pricing, delivered.Pricing = pricing, pricing
	sent.Ref, sent.HasRef = domain.PartRef{Conversation: "conv1", Turn: "turn1", Part: 0, Attempt: 1}, true
	played.Ref, played.HasRef = domain.PartRef{Conversation: "conv1", Turn: "turn1", Part: 1, Attempt: 2}, true
	noReason := status(domain.DeliveryFailed)
	noReason.Failure = &domain.Failure{Class: domain.FailPermanent}
	for name, want := range map[string]domain.Status{
		"status_sent": sent, "status_delivered": delivered, "status_read": status(domain.DeliveryRead), "status_played": played,
		"status_group": status(domain.DeliveryDelivered), "status_failed_no_reason": noReason,
		"status_failed": {
			Message: "wamid.OUT2", Number: number, Recipient: domain.Contact{Phone: ana.Phone}, State: domain.DeliveryFailed,
			At: time.Unix(1795341700, 0).UTC(), Failure: &domain.Failure{Code: 131047, Class: domain.FailWindow},
		},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := whatsapp.Decode(webhook(t, name))
			require.NoError(t, err)
			assert.Equal(t, domain.Envelope{Statuses: []domain.Status{want}}, env)
		})
	}
}

func TestDecodeSetsAside(t *testing.T) {
	for name, want := range map[string]domain.OtherEvent{
		"value_errors":   {Field: "messages", Reason: whatsapp.ReasonError, Code: 130429},
		"account_update": {Field: "account_update", Reason: whatsapp.ReasonField},
		"calls":          {Field: "calls", Reason: whatsapp.ReasonField},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := whatsapp.Decode(webhook(t, name))
			require.NoError(t, err)
			assert.Equal(t, domain.Envelope{Others: []domain.OtherEvent{want}}, env)
		})
	}
	env, err := whatsapp.Decode(webhook(t, "status_unknown"))
	require.NoError(t, err)
	assert.Len(t, env.Statuses, 1)
	assert.Equal(t, []domain.OtherEvent{{Field: "messages", Reason: whatsapp.ReasonStatus}}, env.Others)

	env, err = whatsapp.Decode([]byte(`{"object":"page","entry":[{"changes":[{"field":"messages","value":{}}]}]}`))
	require.NoError(t, err)
	assert.Equal(t, []domain.OtherEvent{{Field: "messages", Reason: whatsapp.ReasonObject}}, env.Others)
}

// TestDecodeReadsEchoes: what the business wrote is a message in the person's
// conversation, whichever field tells of it.
func TestDecodeReadsEchoes(t *testing.T) {
	want := domain.Message{
		ID: "wamid.E", Number: "106500000000001", From: domain.Contact{Phone: "34600111222"}, SentAt: time.Unix(1795341600, 0).UTC(),
		Content: domain.Echo{Content: domain.Text{Body: "from the app"}},
	}
	for _, name := range []string{"echoes", "echoes_in_messages"} {
		env, err := whatsapp.Decode(webhook(t, name))
		require.NoError(t, err)
		assert.Equal(t, domain.Envelope{Messages: []domain.Message{want}}, env, name)
	}

	body := func(field, echoes string) []byte {
		return []byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"` + field + `","value":{"metadata":{"phone_number_id":"1"},
			"contacts":[{"wa_id":"34600111222","user_id":"ES.1","profile":{"name":"Ana"}}],"message_echoes":[` + echoes + `]}}]}]}`)
	}
	env, err := whatsapp.Decode(body("message_echoes", `{"id":"a","to":"34600111222","timestamp":"1","type":"image","image":{"id":"7","caption":"this one"}},
		{"id":"b","to_user_id":"ES.2","timestamp":"2","type":"revoke","revoke":{"original_message_id":"a"}},
		{"id":"c","to":"34600111222","timestamp":"3","type":"hologram"},
		{"id":"d","timestamp":"4","type":"text","text":{"body":"to nobody"}},
		{"id":"e","to":"34600111222","timestamp":"","type":"text","text":{"body":"never"}},
		{"id":"f","to":"34600111222","timestamp":"6","type":"text","text":"of another shape"}`))
	require.NoError(t, err)
	require.Len(t, env.Messages, 3)
	assert.Equal(t, domain.Contact{UserID: "ES.1", Phone: "34600111222", Name: "Ana"}, env.Messages[0].From)
	assert.Equal(t, "this one", env.Messages[0].Content.(domain.Echo).Content.(domain.Image).Caption)
	assert.Equal(t, domain.Contact{UserID: "ES.2"}, env.Messages[1].From, "the contact is somebody else")
	assert.Equal(t, domain.Echo{Content: domain.Revoke{Target: "a"}}, env.Messages[1].Content)
	assert.Equal(t, domain.Echo{Content: domain.Unsupported{Type: "hologram"}}, env.Messages[2].Content, "somebody wrote all the same")
	malformed := domain.OtherEvent{Field: "message_echoes", Reason: whatsapp.ReasonMalformed}
	assert.Equal(t, []domain.OtherEvent{malformed, malformed, malformed}, env.Others)
}

func TestDecodeWalksTheWholeEnvelope(t *testing.T) {
	env, err := whatsapp.Decode(webhook(t, "batch"))
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two", "three"}, texts(env))
	assert.Equal(t, domain.Contact{UserID: "SE.2", Phone: "4670000001", Name: "Bo"}, env.Messages[1].From)
	assert.Len(t, env.Statuses, 2)
	assert.Equal(t, []domain.OtherEvent{
		{Field: "phone_number_quality_update", Reason: whatsapp.ReasonField},
		{Field: "messages", Reason: whatsapp.ReasonError, Code: 1},
	}, env.Others)
}

func TestDecodeKeepsTheNeighboursOfWhatIsMalformed(t *testing.T) {
	env, err := whatsapp.Decode(webhook(t, "malformed_neighbours"))
	require.NoError(t, err)
	assert.Equal(t, []string{"before", "after", "still here"}, texts(env))
	assert.Len(t, env.Statuses, 1)
	reasons := map[string]int{}
	for _, o := range env.Others {
		reasons[o.Reason]++
	}
	// 9 messages, 2 statuses, an error, a value, a list, an entry and a change.
	assert.Equal(t, map[string]int{whatsapp.ReasonMalformed: 16, whatsapp.ReasonError: 1}, reasons)
}

func texts(env domain.Envelope) (out []string) {
	for _, m := range env.Messages {
		if text, ok := m.Content.(domain.Text); ok {
			out = append(out, text.Body)
		}
	}
	return out
}

func TestDecodeRefusesWhatIsNoWebhook(t *testing.T) {
	const ok = `{"object":"whatsapp_business_account","entry":[]}`
	_, err := whatsapp.Decode([]byte(ok))
	require.NoError(t, err)
	for name, x := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":        {"", whatsapp.ErrNotJSON},
		"text":           {"hello", whatsapp.ErrNotJSON},
		"cut":            {ok[:20], whatsapp.ErrNotJSON},
		"two values":     {ok + ok, whatsapp.ErrNotJSON},
		"string":         {`"x"`, whatsapp.ErrNotWebhook},
		"array":          {`[]`, whatsapp.ErrNotWebhook},
		"null":           {`null`, whatsapp.ErrNotWebhook},
		"empty object":   {`{}`, whatsapp.ErrNotWebhook},
		"no entry":       {`{"object":"x"}`, whatsapp.ErrNotWebhook},
		"no object":      {`{"entry":[]}`, whatsapp.ErrNotWebhook},
		"entry no list":  {`{"object":"x","entry":{}}`, whatsapp.ErrNotWebhook},
		"object no text": {`{"object":1,"entry":[]}`, whatsapp.ErrNotWebhook},
		"deep":           {`{"object":"x","entry":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, whatsapp.ErrTooDeep},
		"brackets":       {strings.Repeat("[", 1<<20), whatsapp.ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := whatsapp.Decode([]byte(x.raw))
			assert.ErrorIs(t, err, x.want)
		})
	}
}

func many(n int) []byte {
	one := `{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":[{"from":"1","id":"x","timestamp":"1","type":"text","text":{"body":"[{"}}]}}`
	return []byte(`{"object":"whatsapp_business_account","entry":[{"changes":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}]}`)
}

func TestDecodeTakesAThousandUpdatesAndNotEndlessly(t *testing.T) {
	env, err := whatsapp.Decode(many(1000))
	require.NoError(t, err)
	assert.Len(t, env.Messages, 1000)
	_, err = whatsapp.Decode(many(whatsapp.MaxUpdates + 1))
	assert.ErrorIs(t, err, whatsapp.ErrTooMany)
}

// FuzzDecode: whatever stands beside a good message, the good message comes through,
// and every message that comes through is valid.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "webhooks", "*.json"))
	require.NoError(f, err)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := whatsapp.Decode(raw)
		if err != nil {
			assert.Empty(t, env)
		}
		for _, m := range env.Messages {
			require.NoError(t, m.Validate())
		}
		again, err2 := whatsapp.Decode(raw)
		assert.Equal(t, err, err2)
		assert.Equal(t, env, again)

		if err != nil {
			return
		}
		good := `{"from":"1","id":"wamid.good","timestamp":"1","type":"text","text":{"body":"x"}}`
		for _, body := range []string{
			`[` + good + `,` + string(raw) + `]`, `[` + string(raw) + `,` + good + `]`,
		} {
			env, err := whatsapp.Decode([]byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":` + body + `}}]}]}`))
			if err != nil {
				continue // raw was near the bounds
			}
			found := false
			for _, m := range env.Messages {
				found = found || m.ID == "wamid.good"
			}
			assert.True(t, found)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	raw := webhook(b, "audio_note")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := whatsapp.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
