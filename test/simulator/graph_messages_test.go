package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestSendIsAcceptedWithMetasAnswer(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	in := w.Messages(u.ID)[0].ID
	a := w.post(`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+34 600-111-222","type":"text",` +
		`"text":{"body":"Claro.","preview_url":false},"context":{"message_id":"` + in + `"},"biz_opaque_callback_data":"turn-42"}`)
	require.Equal(t, http.StatusOK, a.status, string(a.raw))
	id := a.wamid()
	require.True(t, strings.HasPrefix(id, "wamid."))
	require.JSONEq(t, `{"messaging_product":"whatsapp","contacts":[{"input":"+34 600-111-222","wa_id":"34600111222"}],"messages":[{"id":"`+id+`"}]}`, string(a.raw))
	require.Equal(t, "v26.0", a.header.Get("facebook-api-version"))

	out := w.Outbound(u.ID)
	require.Len(t, out, 1)
	require.Equal(t, "Claro.", out[0].Text)
	require.Equal(t, in, out[0].ContextID)
	require.Equal(t, "turn-42", out[0].CallbackData)
	var sends []simulator.Entry
	for _, e := range w.Log() {
		if e.Kind == simulator.LogSend {
			sends = append(sends, e)
		}
	}
	require.Len(t, sends, 1)
	require.Equal(t, []string{id}, sends[0].IDs)
	require.Equal(t, "turn-42", sends[0].CallbackData)
	require.Contains(t, string(sends[0].Body), `"Claro."`)
}

func TestAnyVersionSegmentOrNone(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	body := `{"messaging_product":"whatsapp","to":"+` + u.Phone + `","text":{"body":"x"}}`
	for _, prefix := range []string{"", "/v19.0", "/v26.0", "/v101.0"} {
		a := w.do(w.request(http.MethodPost, prefix+"/"+w.Config().PhoneNumberID+"/messages", strings.NewReader(body)))
		require.Equal(t, http.StatusOK, a.status, prefix)
	}
	a := w.do(w.request(http.MethodPost, "/latest/"+w.Config().PhoneNumberID+"/messages", strings.NewReader(body)))
	require.Equal(t, http.StatusBadRequest, a.status)
}

func TestSendByBusinessScopedUserID(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{Username: "ana.r", UsernameOnly: true, UserID: "ES.13491208655302740001"})
	w.says(u, "hola")
	w.idle()
	a := w.post(`{"messaging_product":"whatsapp","recipient":"ES.13491208655302740001","type":"text","text":{"body":"x"}}`)
	require.JSONEq(t, `{"messaging_product":"whatsapp","contacts":[{"input":"ES.13491208655302740001","user_id":"ES.13491208655302740001"}],"messages":[{"id":"`+a.wamid()+`"}]}`, string(a.raw))
	w.idle()
	for _, s := range w.bot.statuses() {
		require.NotContains(t, s, "recipient_id")
		require.Equal(t, u.UserID, s["recipient_user_id"])
	}

	other := w.user(simulator.UserSpec{Phone: "34600999888"})
	w.says(other, "x")
	a = w.post(`{"messaging_product":"whatsapp","to":"+34600999888","recipient":"ES.13491208655302740001","type":"text","text":{"body":"x"}}`)
	require.Equal(t, http.StatusOK, a.status)
	require.Len(t, w.Outbound(other.ID), 1, "to wins")
}

func TestSendValidation(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	stranger := w.user(simulator.UserSpec{Phone: "34600333444"}) // never wrote
	in := w.Messages(u.ID)[0].ID
	mono := w.uploaded(oggOpus(1, 100, 0), "audio/ogg")
	stereo := w.uploaded(oggOpus(2, 100, 0), "audio/ogg; codecs=opus")
	vorbis := w.uploaded([]byte("OggS\x00\x02 but not really"), "audio/ogg")
	broken := oggOpus(1, 100, 0)
	broken[len(broken)-1] ^= 1
	brokenID := w.uploaded(broken, "audio/ogg")
	mp3 := w.uploaded([]byte("ID3"), "audio/mpeg")
	png := w.uploaded([]byte("\x89PNG"), "image/png")

	to := `"messaging_product":"whatsapp","to":"+34600111222",`
	text := `"type":"text","text":{"body":"x"}`
	long := strings.Repeat("é", 4096)
	for name, tc := range map[string]struct {
		body string
		code int // 0: accepted
		want string
	}{
		"text at the limit":             {`{` + to + `"type":"text","text":{"body":"` + long + `"}}`, 0, ""},
		"text over the limit":           {`{` + to + `"type":"text","text":{"body":"` + long + `e"}}`, 100, "4096"},
		"text empty":                    {`{` + to + `"type":"text","text":{"body":""}}`, 100, "text['body']"},
		"text missing":                  {`{` + to + `"type":"text"}`, 100, "text"},
		"text with foreign member":      {`{` + to + `"type":"text","text":{"body":"x","voice":true}}`, 100, `Unexpected key "voice" on param "text"`},
		"type unknown":                  {`{` + to + `"type":"voice","voice":{}}`, 100, "type"},
		"no messaging_product":          {`{"to":"+34600111222",` + text + `}`, 100, "messaging_product"},
		"wrong messaging_product":       {`{"messaging_product":"sms","to":"+34600111222",` + text + `}`, 100, "messaging_product"},
		"not JSON":                      {`to=34600111222`, 100, "Invalid parameter"},
		"a number where text must be":   {`{"messaging_product":"whatsapp","to":34600111222,` + text + `}`, 100, "Invalid parameter"},
		"two JSON values":               {`{` + to + text + `}{}`, 100, "Invalid parameter"},
		"neither to nor recipient":      {`{"messaging_product":"whatsapp",` + text + `}`, 100, "to"},
		"group":                         {`{` + to + `"recipient_type":"group",` + text + `}`, 100, "recipient_type"},
		"to without plus":               {`{"messaging_product":"whatsapp","to":"34600111222",` + text + `}`, 131026, "undeliverable"},
		"to unknown":                    {`{"messaging_product":"whatsapp","to":"+34600000000",` + text + `}`, 131026, "undeliverable"},
		"to is no number":               {`{"messaging_product":"whatsapp","to":"+34ana",` + text + `}`, 131009, ""},
		"to is ourselves":               {`{"messaging_product":"whatsapp","to":"+15550100200",` + text + `}`, 131021, ""},
		"recipient malformed":           {`{"messaging_product":"whatsapp","recipient":"34600111222",` + text + `}`, 131009, ""},
		"recipient unknown":             {`{"messaging_product":"whatsapp","recipient":"ES.1",` + text + `}`, 131026, ""},
		"callback data at the limit":    {`{` + to + text + `,"biz_opaque_callback_data":"` + long[:1024] + `"}`, 0, ""},
		"callback data over the limit":  {`{` + to + text + `,"biz_opaque_callback_data":"` + long[:1024] + `e"}`, 100, "512"},
		"context":                       {`{` + to + text + `,"context":{"message_id":"` + in + `"}}`, 0, ""},
		"context unknown":               {`{` + to + text + `,"context":{"message_id":"wamid.x"}}`, 131009, ""},
		"window never opened":           {`{"messaging_product":"whatsapp","to":"+` + stranger.Phone + `",` + text + `}`, 131047, "Re-engagement"},
		"template outside the window":   {`{"messaging_product":"whatsapp","to":"+` + stranger.Phone + `","type":"template","template":{"name":"n","language":{"code":"en"}}}`, 0, ""},
		"template without name":         {`{` + to + `"type":"template","template":{}}`, 100, "template"},
		"voice":                         {`{` + to + `"type":"audio","audio":{"id":"` + mono + `","voice":true}}`, 0, ""},
		"audio file mp3":                {`{` + to + `"type":"audio","audio":{"id":"` + mp3 + `"}}`, 0, ""},
		"voice mp3":                     {`{` + to + `"type":"audio","audio":{"id":"` + mp3 + `","voice":true}}`, 131053, "upload"},
		"voice stereo":                  {`{` + to + `"type":"audio","audio":{"id":"` + stereo + `","voice":true}}`, 131053, "upload"},
		"voice not Opus":                {`{` + to + `"type":"audio","audio":{"id":"` + vorbis + `","voice":true}}`, 131053, "upload"},
		"voice with a damaged page":     {`{` + to + `"type":"audio","audio":{"id":"` + brokenID + `","voice":true}}`, 131053, "upload"},
		"audio with a picture":          {`{` + to + `"type":"audio","audio":{"id":"` + png + `"}}`, 131053, "upload"},
		"id and link":                   {`{` + to + `"type":"audio","audio":{"id":"` + mono + `","link":"https://h/a.ogg"}}`, 100, "Only one of id and link"},
		"neither id nor link":           {`{` + to + `"type":"audio","audio":{"voice":true}}`, 100, "One of id and link"},
		"link":                          {`{` + to + `"type":"audio","audio":{"link":"https://h.example/a.mp3"}}`, 0, ""},
		"link malformed":                {`{` + to + `"type":"audio","audio":{"link":"file:///etc/passwd"}}`, 100, "URI"},
		"media id unknown":              {`{` + to + `"type":"audio","audio":{"id":"123"}}`, 100, "not a valid"},
		"image":                         {`{` + to + `"type":"image","image":{"id":"` + png + `","caption":"c"}}`, 0, ""},
		"reaction":                      {`{` + to + `"type":"reaction","reaction":{"message_id":"` + in + `","emoji":"x"}}`, 0, ""},
		"reaction to nothing":           {`{` + to + `"type":"reaction","reaction":{"message_id":"no","emoji":"x"}}`, 131009, ""},
		"reaction with context":         {`{` + to + `"type":"reaction","reaction":{"message_id":"` + in + `","emoji":"x"},"context":{"message_id":"` + in + `"}}`, 131009, ""},
		"interactive":                   {`{` + to + `"type":"interactive","interactive":{"type":"button","body":{"text":"?"}}}`, 0, ""},
		"typing without status":         {`{"messaging_product":"whatsapp","message_id":"` + in + `","typing_indicator":{"type":"text"}}`, 100, "status"},
		"typing of a wrong kind":        {`{"messaging_product":"whatsapp","status":"read","message_id":"` + in + `","typing_indicator":{"type":"audio"}}`, 100, "typing_indicator"},
		"read of nothing":               {`{"messaging_product":"whatsapp","status":"read"}`, 100, "message_id"},
		"read of an unknown message":    {`{"messaging_product":"whatsapp","status":"read","message_id":"wamid.x"}`, 131009, ""},
		"status that bots cannot set":   {`{"messaging_product":"whatsapp","status":"delivered","message_id":"` + in + `"}`, 100, "status"},
		"read with typing is a success": {`{"messaging_product":"whatsapp","status":"read","message_id":"` + in + `","typing_indicator":{"type":"text"}}`, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.Counts()
			a := w.post(tc.body)
			if tc.code == 0 {
				require.Equal(t, http.StatusOK, a.status, string(a.raw))
				return
			}
			require.GreaterOrEqual(t, a.status, 400)
			require.Equal(t, tc.code, a.code(), string(a.raw))
			require.Equal(t, "OAuthException", a.errorField("type"))
			require.True(t, strings.HasPrefix(a.errorField("message"), fmt.Sprintf("(#%d) ", tc.code)), a.errorField("message"))
			require.Contains(t, a.errorField("message"), tc.want)
			require.Len(t, a.errorField("fbtrace_id"), 23)
			data := a.body["error"].(map[string]any)["error_data"].(map[string]any)
			require.Equal(t, "whatsapp", data["messaging_product"])
			require.NotEmpty(t, data["details"])
			require.Equal(t, before.Accepted, w.Counts().Accepted)
		})
	}
}

func TestToWithoutPlusGetsTheBusinessCountryCode(t *testing.T) {
	for business, tc := range map[string]struct{ user, to string }{
		"34911222333":  {"34600111222", "600111222"},
		"351211222333": {"351912345678", "912345678"},
		"74951112233":  {"79161234567", "9161234567"},
	} {
		w := newWorld(t, func(c *simulator.Config) { c.DisplayPhone = business })
		u := w.user(simulator.UserSpec{Phone: tc.user})
		w.says(u, "x")
		body := `{"messaging_product":"whatsapp","to":"%s","type":"text","text":{"body":"x"}}`
		require.Equal(t, http.StatusOK, w.post(fmt.Sprintf(body, tc.to)).status, business)
		require.Equal(t, 131026, w.post(fmt.Sprintf(body, tc.user)).code(), business)
	}
}

func TestTestNumbersAnswer131030(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.UnknownRecipientCode = 131030 })
	require.Equal(t, 131030, w.post(`{"messaging_product":"whatsapp","to":"+34600000000","type":"text","text":{"body":"x"}}`).code())
}

func TestAuthorization(t *testing.T) {
	w := newWorld(t, nil)
	for name, header := range map[string]string{"none": "", "wrong": "Bearer nope", "other scheme": "Basic " + token} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/v26.0/" + w.Config().PhoneNumberID + "/messages", "/v26.0/123", "/media/x.y.z"} {
				req := w.request(http.MethodGet, path, nil)
				if strings.HasSuffix(path, "/messages") {
					req = w.request(http.MethodPost, path, strings.NewReader("{}"))
				}
				req.Header.Set("Authorization", header)
				a := w.do(req)
				require.Equal(t, http.StatusUnauthorized, a.status, path)
				require.Equal(t, 190, a.code())
			}
		})
	}
}

func TestWrongPhoneNumberID(t *testing.T) {
	w := newWorld(t, nil)
	a := w.do(w.request(http.MethodPost, "/v26.0/999/messages", strings.NewReader(`{}`)))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, 100, a.code())
	require.EqualValues(t, 33, a.body["error"].(map[string]any)["error_subcode"])
}

func TestPhoneNumberCanBeRead(t *testing.T) {
	w := newWorld(t, nil)
	a := w.graph(http.MethodGet, "/v26.0/"+w.Config().PhoneNumberID)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "15550100200", a.body["display_phone_number"])
}

func TestWindowClosesAfter24Hours(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	body := `{"messaging_product":"whatsapp","to":"+` + u.Phone + `","type":"text","text":{"body":"x"}}`
	w.now.advance(24*time.Hour - time.Second)
	require.Equal(t, http.StatusOK, w.post(body).status)
	w.now.advance(time.Second)
	a := w.post(body)
	require.Equal(t, 131047, a.code())
	require.Equal(t, http.StatusBadRequest, a.status)
	w.idle()

	w.faults(func(f *simulator.Faults) { f.ErrorsByStatus = true })
	a = w.post(body)
	require.Equal(t, http.StatusOK, a.status)
	w.idle()
	last := w.bot.statuses()[len(w.bot.statuses())-1]
	require.Equal(t, "failed", last["status"])
	require.EqualValues(t, 131047, last["errors"].([]any)[0].(map[string]any)["code"])

	w.faults(func(f *simulator.Faults) { f.ErrorsByStatus = false })
	w.says(u, "I am back")
	require.Equal(t, http.StatusOK, w.post(body).status)
}

func TestPairRateLimit(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) { f.PairRateLimit = true })
	body := `{"messaging_product":"whatsapp","to":"+` + u.Phone + `","type":"text","text":{"body":"x"}}`
	for range 45 {
		require.Equal(t, http.StatusOK, w.post(body).status)
	}
	require.Equal(t, 131056, w.post(body).code())
	w.now.advance(5 * time.Second)
	require.Equal(t, 131056, w.post(body).code())
	w.now.advance(time.Second)
	require.Equal(t, http.StatusOK, w.post(body).status)
	require.Equal(t, 131056, w.post(body).code())
}

func TestThroughputLimit(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) { f.ThroughputLimit = true })
	body := `{"messaging_product":"whatsapp","to":"+` + u.Phone + `","type":"text","text":{"body":"x"}}`
	for range 80 {
		require.Equal(t, http.StatusOK, w.post(body).status)
	}
	require.Equal(t, 130429, w.post(body).code())
	w.now.advance(13 * time.Millisecond)
	require.Equal(t, http.StatusOK, w.post(body).status)
}

func TestReadReceiptTurnsEarlierMessagesBlue(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	second, third := w.says(u, "2"), w.says(u, "3")
	w.idle()
	a := w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"` + second + `"}`)
	require.JSONEq(t, `{"success":true}`, string(a.raw))
	chat := w.Messages(u.ID)
	require.Equal(t, []bool{true, true, false}, []bool{chat[0].Blue, chat[1].Blue, chat[2].Blue})
	require.Equal(t, simulator.StatusRead, chat[1].Status)
	require.Equal(t, simulator.StatusDelivered, chat[2].Status)
	w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"` + third + `"}`)
	require.True(t, w.Messages(u.ID)[2].Blue)
	require.Equal(t, 2, w.Counts().ReadCalls)

	out := w.reply(u, "x")
	require.Equal(t, 131009, w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"`+out+`"}`).code(), "one's own message")
}

func TestTypingEndsWithTheReplyOrAfter25Seconds(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.Messages(u.ID)[0].ID
	typing := func() (on bool) { w.View(func(v simulator.Snapshot) { on = v.Typing(u.ID) }); return on }
	call := func() {
		require.Equal(t, http.StatusOK, w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"`+id+`","typing_indicator":{"type":"text"}}`).status)
	}
	call()
	require.True(t, typing())
	w.reply(u, "done")
	require.False(t, typing())

	call()
	w.now.advance(20 * time.Second)
	call() // extends
	w.now.advance(24 * time.Second)
	require.True(t, typing())
	w.now.advance(time.Second)
	require.False(t, typing())

	w.faults(func(f *simulator.Faults) { f.TypingRefreshExtends = false })
	call()
	w.now.advance(20 * time.Second)
	call() // does not
	w.now.advance(5 * time.Second)
	require.False(t, typing())
	require.Equal(t, 5, w.Counts().TypingCalls)
}
