package record_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
)

var at = time.Date(2027, 3, 1, 9, 30, 0, 123456789, time.UTC)

// contents holds at least one value of every kind of content, with every field set.
func contents() []domain.Content {
	media := domain.MediaRef{ID: "7", Number: "100", MIME: domain.MIMEOggOpus, SHA256: "ab12", URL: "https://media.example/7?a=b&c"}
	return []domain.Content{
		domain.Text{Body: "ñ \"quoted\" <b> \u2028 😀"},
		domain.Text{},
		domain.Voice{Media: media, Note: true},
		domain.Voice{Media: domain.MediaRef{ID: "8"}},
		domain.Image{Media: media, Caption: "c"},
		domain.Video{Media: media, Caption: "c"},
		domain.Document{Media: media, Filename: "f.pdf", Caption: "c"},
		domain.Sticker{Media: media, Animated: true},
		domain.Location{Latitude: -33.4489, Longitude: 1e-7, Name: "n", Address: "a"},
		domain.Location{},
		domain.Contacts{Names: []string{"Ana", ""}},
		domain.Contacts{},
		domain.ButtonReply{ID: "1", Title: "Yes"},
		domain.ListReply{ID: "1", Title: "t", Description: "d"},
		domain.FlowReply{Name: "flow", Body: "Sent", Response: `{"a":1}`},
		domain.Reaction{Target: "wamid.1", Emoji: "👍🏽"},
		domain.Order{Catalog: "c", Note: "n", Items: []domain.OrderItem{{ProductID: "p", Quantity: 2, Price: 0.1, Currency: "EUR"}}},
		domain.System{Event: "user_changed_number", NewPhone: "34600", NewUser: "ES.1"},
		domain.RequestWelcome{},
		domain.Edit{Target: "wamid.1", Content: domain.Image{Media: media, Caption: "c"}},
		domain.Edit{Target: "wamid.1"},
		domain.Revoke{Target: "wamid.1"},
		domain.Unsupported{Type: "poll", Code: 131051},
		domain.Echo{},
		domain.Echo{Content: domain.Text{Body: "from the shop"}},
	}
}

// kinds reads the names of all kinds from the domain's source, so that a kind
// added there without a record here is noticed.
func kinds(t *testing.T) []string {
	source, err := os.ReadFile("../../domain/content.go")
	require.NoError(t, err)
	var out []string
	for _, m := range regexp.MustCompile(`Kind\w+\s+ContentKind = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		out = append(out, m[1])
	}
	require.GreaterOrEqual(t, len(out), 18)
	return out
}

func message(c domain.Content) domain.Message {
	return domain.Message{
		ID: "wamid.1", Number: "100", From: domain.Contact{UserID: "ES.1", Phone: "34600", Name: "Ana"}, SentAt: at, Content: c,
		ReplyTo: "wamid.0", Forwarded: true, Group: "g", Hold: 1500 * time.Millisecond, Pause: time.Hour, ReceivedAt: at.Add(time.Minute), Trace: "00-1-2-01",
	}
}

func TestMessageRoundTrip(t *testing.T) {
	seen := map[domain.ContentKind]bool{}
	for _, c := range contents() {
		seen[c.Kind()] = true
		want := message(c)
		data, err := record.EncodeMessage(want)
		require.NoError(t, err, c.Kind())
		got, err := record.DecodeMessage(data)
		require.NoError(t, err, c.Kind())
		assert.Equal(t, want, got)
	}
	for _, k := range kinds(t) {
		assert.True(t, seen[domain.ContentKind(k)], "%s has no example", k)
	}
	bare := domain.Message{ID: "1", Number: "n", From: domain.Contact{UserID: "u"}, Content: domain.Text{}}
	data, err := record.EncodeMessage(bare)
	require.NoError(t, err)
	got, err := record.DecodeMessage(data)
	require.NoError(t, err)
	assert.Equal(t, bare, got)
	assert.True(t, got.SentAt.IsZero(), "a zero time comes back as one")
}

func TestTimesAreStoredInUTC(t *testing.T) {
	m := message(domain.Text{Body: "b"})
	m.SentAt = at.In(time.FixedZone("", 3600))
	data, err := record.EncodeMessage(m)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"2027-03-01T09:30:00.123456789Z"`)
}

func TestTurnRoundTrip(t *testing.T) {
	base := domain.TurnRecord{
		ID: "t1", Conversation: "c1", Number: "100", State: domain.TurnReceived, Inputs: []domain.MessageID{"wamid.1"},
	}
	full := domain.TurnRecord{
		ID: "t1", Conversation: "c1", Number: "100", To: domain.Contact{UserID: "ES.1", Phone: "34600", Name: "Ana"}, State: domain.TurnFailed, Reason: "media",
		Inputs: []domain.MessageID{"wamid.1", "wamid.2"}, StartedAt: at, Attempt: 3,
		Transcripts: map[domain.MessageID]domain.Transcript{"wamid.1": {Text: "hola", Language: "es", Confidence: 0.9}},
		Reply:       domain.Reply{Text: "sí", Language: "es"}, Apology: true, Recovered: true, Trace: "00-1-2-01",
		Parts: []domain.Part{
			{
				Kind: domain.PartVoice, Text: "sí", Media: "m", State: domain.PartFailed, Attempt: 2, IntendedAt: at, UnknownSince: at, Waits: 2,
				MessageID: "wamid.9", Failure: &domain.Failure{Code: 131053, Class: domain.FailMedia},
			},
			{Kind: domain.PartText, Text: "sí", State: domain.PartPlanned, Aside: true, Pricing: &domain.Pricing{Billable: true, Category: "service", Type: "regular", Model: "PMP"}},
		},
		Expenses: domain.Expenses{{
			Stage: "llm", Vendor: "genai", Use: domain.Use{InputTokens: 1, OutputTokens: 2, Heard: 3 * time.Millisecond, Spoken: 4 * time.Second, Characters: 5},
			Calls: 6, Doubtful: 7, Unpriced: 8, Cost: 81_800_000, DoubtfulCost: 9,
		}},
		Handoff: domain.Handoff{State: domain.HandoffOwed, Tries: 2, NextTry: at},
	}
	complete(t, "TurnRecord", reflect.ValueOf(full))
	for _, r := range []domain.TurnRecord{base, full} {
		want, err := domain.RestoreTurn(r)
		require.NoError(t, err)
		data, err := record.EncodeTurn(want)
		require.NoError(t, err)
		got, err := record.DecodeTurn(data)
		require.NoError(t, err)
		assert.Equal(t, want.Record(), got.Record())
	}
}

// complete demands that an example has a value in every field, so that one that is
// added to the domain and forgotten in its record is noticed. Of a list one element with
// a value is enough for each field.
func complete(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		require.False(t, v.IsNil(), path)
		complete(t, path, v.Elem())
	case reflect.Struct:
		if _, isTime := v.Interface().(time.Time); isTime {
			require.False(t, v.IsZero(), path)
			return
		}
		for i := range v.NumField() {
			complete(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), path)
		if v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		for i := range v.Type().Elem().NumField() {
			filled := -1
			for n := range v.Len() {
				if !v.Index(n).Field(i).IsZero() {
					filled = n
				}
			}
			name := path + "." + v.Type().Elem().Field(i).Name
			require.GreaterOrEqual(t, filled, 0, name)
			complete(t, name, v.Index(filled).Field(i))
		}
	default:
		require.False(t, v.IsZero(), path)
	}
}

func TestConversationRoundTrip(t *testing.T) {
	for _, r := range []domain.ConversationRecord{
		{ID: "c", Number: "100", Contact: domain.Contact{Phone: "34600"}},
		{
			ID: "c", Number: "100", Contact: domain.Contact{UserID: "ES.1", Phone: "34600", Name: "Ana"}, Language: "es", LastInbound: at,
			History: []domain.Remark{{Role: domain.RoleUser, Text: "hola", At: at, Turn: "t1"}, {Role: domain.RoleAssistant, Text: "sí"}},
		},
	} {
		want, err := domain.RestoreConversation(r)
		require.NoError(t, err)
		data, err := record.EncodeConversation(want)
		require.NoError(t, err)
		got, err := record.DecodeConversation(data)
		require.NoError(t, err)
		assert.Equal(t, want.Record(), got.Record())
	}
}

func TestStatusRoundTrip(t *testing.T) {
	for _, want := range []domain.Status{
		{},
		{
			Message: "wamid.9", Number: "100", Recipient: domain.Contact{Phone: "34600"}, State: domain.DeliveryFailed, At: at,
			Ref: domain.PartRef{Conversation: "c", Turn: "t", Part: 1, Attempt: 2}, HasRef: true,
			Failure: &domain.Failure{Code: 131053, Class: domain.FailMedia},
			Pricing: &domain.Pricing{Billable: true, Category: "service", Type: "regular", Model: "PMP"},
		},
	} {
		data, err := record.EncodeStatus(want)
		require.NoError(t, err)
		got, err := record.DecodeStatus(data)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestRefused(t *testing.T) {
	const head = `{"v":1,"id":"1","nr":"n","f":{"u":"u"}`
	for name, tc := range map[string]struct {
		data string
		want error
	}{
		"newer version":            {`{"v":2,"id":["another","type"]}`, record.ErrNewer},
		"no version":               {`{"id":"1"}`, record.ErrMalformed},
		"negative version":         {`{"v":-1}`, record.ErrMalformed},
		"no JSON":                  {`wamid`, record.ErrMalformed},
		"empty":                    {``, record.ErrMalformed},
		"field of another type":    {`{"v":1,"id":7}`, record.ErrMalformed},
		"unknown kind":             {head + `,"k":"poll","c":{}}`, record.ErrUnknownKind},
		"unknown kind in an edit":  {head + `,"k":"edit","c":{"k":"poll","c":{}}}`, record.ErrUnknownKind},
		"content of another type":  {head + `,"k":"text","c":[]}`, record.ErrMalformed},
		"no content":               {head + `,"k":"text"}`, record.ErrMalformed},
		"invalid message":          {`{"v":1,"id":"1","f":{"u":"u"},"k":"text","c":{}}`, domain.ErrNoNumber},
		"time no record can write": {head + `,"k":"text","c":{},"t":"9999-12-31T23:59:59-01:00"}`, record.ErrMalformed},
		"edits without end":        {head + `,"k":"edit","c":` + strings.Repeat(`{"k":"edit","c":`, 50) + `{}` + strings.Repeat(`}`, 51), record.ErrMalformed},
	} {
		_, err := record.DecodeMessage([]byte(tc.data))
		assert.ErrorIs(t, err, tc.want, name)
	}
	for name, decode := range map[string]func([]byte) error{
		"turn":         func(b []byte) error { _, err := record.DecodeTurn(b); return err },
		"conversation": func(b []byte) error { _, err := record.DecodeConversation(b); return err },
		"status":       func(b []byte) error { _, err := record.DecodeStatus(b); return err },
	} {
		assert.ErrorIs(t, decode([]byte(`{"v":99}`)), record.ErrNewer, name)
		assert.ErrorIs(t, decode([]byte(`[]`)), record.ErrMalformed, name)
	}
	_, err := record.DecodeTurn([]byte(`{"v":1,"id":"t","cv":"c","in":["1"],"s":"dreaming"}`))
	assert.ErrorIs(t, err, record.ErrMalformed, "unknown state")
	_, err = record.DecodeConversation([]byte(`{"v":1,"id":"c","nr":"n"}`))
	assert.ErrorIs(t, err, record.ErrMalformed, "nobody to talk to")
}

func TestEncodeRefusesInvalid(t *testing.T) {
	_, err := record.EncodeMessage(domain.Message{})
	assert.ErrorIs(t, err, domain.ErrNoMessageID)
	deep := domain.Edit{}
	for range 9 {
		deep = domain.Edit{Content: deep}
	}
	_, err = record.EncodeMessage(message(deep))
	assert.ErrorIs(t, err, record.ErrMalformed)
}

func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "34600111222"
	for _, data := range []string{`{"v":1,"id":34600111222}`, `{"v":1,"34600111222"`, `{"v":1,"id":"1","nr":"n","f":{"u":"u"},"k":"34600111222"}`} {
		_, err := record.DecodeMessage([]byte(data))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), secret)
	}
}

// FuzzDecode demands that nothing makes a decoder panic, and that what it accepts
// can be written and read again without a difference.
func FuzzDecode(f *testing.F) {
	for _, c := range contents() {
		data, err := record.EncodeMessage(message(c))
		require.NoError(f, err)
		f.Add(data)
	}
	for _, s := range []string{
		`{"v":1,"id":"t","cv":"c","in":["1"],"s":"sent","ts":{"1":{"t":"x","c":0.5}},"p":[{"k":"text","f":{"c":1},"i":"2027-03-01T09:30:00Z"}]}`,
		`{"v":1,"id":"c","nr":"n","c":{"p":"1"},"h":[{"r":"user","t":"x","at":"0000-01-01T00:00:00+01:00"}]}`,
		`{"v":1,"to":{},"s":"failed","rf":{"t":"x","p":-1},"hr":true,"f":{"c":1},"pr":{}}`,
		`{"v":2}`, `{"v":1,"t":"9999-12-31T23:59:59.9-23:59"}`, "\xff", `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		again(t, data, record.DecodeMessage, record.EncodeMessage, func(m domain.Message) any { return m })
		again(t, data, record.DecodeTurn, record.EncodeTurn, func(v domain.Turn) any { return v.Record() })
		again(t, data, record.DecodeConversation, record.EncodeConversation, func(v domain.Conversation) any { return v.Record() })
		again(t, data, record.DecodeStatus, record.EncodeStatus, func(v domain.Status) any { return v })
	})
}

func again[T any](t *testing.T, data []byte, decode func([]byte) (T, error), encode func(T) ([]byte, error), open func(T) any) {
	first, err := decode(data)
	if err != nil {
		return
	}
	written, err := encode(first)
	require.NoError(t, err)
	require.True(t, json.Valid(written))
	second, err := decode(written)
	require.NoError(t, err)
	require.Equal(t, open(first), open(second))
}
