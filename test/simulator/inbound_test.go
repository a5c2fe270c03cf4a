package simulator_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// TestInboundShapes compares what arrives at the bot, minus the members every message has, with Meta's documented shapes.
func TestInboundShapes(t *testing.T) {
	for name, tc := range map[string]struct {
		content any
		want    string
	}{
		"text":                {simulator.Text("hi"), `{"type":"text","text":{"body":"hi"}}`},
		"location":            {simulator.Location(40.4, -3.7, "Sol", "Madrid"), `{"type":"location","location":{"latitude":40.4,"longitude":-3.7,"name":"Sol","address":"Madrid"}}`},
		"current location":    {simulator.Location(40.4, -3.7, "", ""), `{"type":"location","location":{"latitude":40.4,"longitude":-3.7}}`},
		"contacts":            {simulator.Contacts("Eva Gil", "34600111333"), `{"type":"contacts","contacts":[{"name":{"formatted_name":"Eva Gil","first_name":"Eva"},"phones":[{"phone":"+34600111333","wa_id":"34600111333","type":"CELL"}],"origin":"other"}]}`},
		"button reply":        {simulator.ButtonReply("wamid.q", "yes", "Yes"), `{"context":{"from":"15550100200","id":"wamid.q"},"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes"}}}`},
		"list reply":          {simulator.ListReply("wamid.q", "a", "A", "the first"), `{"context":{"from":"15550100200","id":"wamid.q"},"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"a","title":"A","description":"the first"}}}`},
		"list reply, bare":    {simulator.ListReply("wamid.q", "a", "A", ""), `{"context":{"from":"15550100200","id":"wamid.q"},"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"a","title":"A"}}}`},
		"flow reply":          {simulator.FlowReply("wamid.q", `{"n":1}`), `{"context":{"from":"15550100200","id":"wamid.q"},"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\"n\":1}","body":"Sent","name":"flow"}}}`},
		"button":              {simulator.Button("wamid.q", "p", "Go"), `{"context":{"from":"15550100200","id":"wamid.q"},"type":"button","button":{"payload":"p","text":"Go"}}`},
		"reaction":            {simulator.Reaction("wamid.q", "👍"), `{"type":"reaction","reaction":{"message_id":"wamid.q","emoji":"👍"}}`},
		"reaction removed":    {simulator.ReactionRemoved("wamid.q", false), `{"type":"reaction","reaction":{"message_id":"wamid.q"}}`},
		"reaction emptied":    {simulator.ReactionRemoved("wamid.q", true), `{"type":"reaction","reaction":{"message_id":"wamid.q","emoji":""}}`},
		"order":               {simulator.Order("c", "p", "two please", 2, 30, "USD"), `{"type":"order","order":{"catalog_id":"c","text":"two please","product_items":[{"product_retailer_id":"p","quantity":2,"item_price":30,"currency":"USD"}]}}`},
		"request_welcome":     {simulator.RequestWelcome(), `{"type":"request_welcome"}`},
		"unsupported":         {simulator.Unsupported("poll_creation"), `{"type":"unsupported","errors":[{"code":131051,"title":"Message type unknown","message":"Message type unknown","error_data":{"details":"Message type is currently not supported."}}],"unsupported":{"type":"poll_creation"}}`},
		"edit":                {simulator.Edit("wamid.q", "new"), `{"type":"edit","edit":{"original_message_id":"wamid.q","message":{"type":"text","text":{"body":"new"}}}}`},
		"revoke":              {simulator.Revoke("wamid.q"), `{"type":"revoke","revoke":{"original_message_id":"wamid.q"}}`},
		"forwarded":           {simulator.Text("x").Forwarded(), `{"context":{"forwarded":true},"type":"text","text":{"body":"x"}}`},
		"frequently":          {simulator.Text("x").FrequentlyForwarded(), `{"context":{"frequently_forwarded":true},"type":"text","text":{"body":"x"}}`},
		"product question":    {simulator.Text("x").AboutProduct("c", "p"), `{"context":{"referred_product":{"catalog_id":"c","product_retailer_id":"p"}},"type":"text","text":{"body":"x"}}`},
		"referral":            {simulator.Text("x").From(simulator.Referral{SourceURL: "https://fb.me/x", SourceID: "1", SourceType: "ad", Body: "b", Headline: "h"}), `{"type":"text","text":{"body":"x"},"referral":{"source_url":"https://fb.me/x","source_id":"1","source_type":"ad","body":"b","headline":"h"}}`},
		"a map":               {map[string]any{"type": "sparkle", "sparkle": 1}, `{"type":"sparkle","sparkle":1}`},
		"raw, from is ours":   {json.RawMessage(`{"type":"text","text":{"body":"x"},"from":"1","timestamp":"1"}`), `{"type":"text","text":{"body":"x"}}`},
		"undownloadable":      {simulator.Undownloadable("image"), `{"type":"image","errors":[{"code":131052,"title":"Media download error","message":"Media download error","error_data":{"details":"Unable to download the media sent by the user."},"href":"/documentation/business-messaging/whatsapp/support/error-codes"}]}`},
		"message unavailable": {simulator.Unavailable(), `{"type":"unsupported","errors":[{"code":131060,"title":"This message is unavailable","message":"This message is unavailable","error_data":{"details":"This message is currently unavailable."}}],"unsupported":{"type":"media_placeholder"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			u := w.user(simulator.UserSpec{Phone: "34600111222"})
			id, err := w.Send(u.ID, tc.content)
			require.NoError(t, err)
			w.idle()
			m := w.bot.messages()[0]
			require.Equal(t, "34600111222", m["from"])
			require.Equal(t, u.UserID, m["from_user_id"])
			require.Equal(t, id, m["id"])
			require.Equal(t, "1795341600", m["timestamp"])
			for _, k := range []string{"from", "from_user_id", "id", "timestamp"} {
				delete(m, k)
			}
			got, err := json.Marshal(m)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, string(got))
		})
	}
}

func TestUsernameOnlyUserHasNoPhoneOnTheWire(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{Name: "Ana Ruiz", Username: "anaruiz", UsernameOnly: true})
	require.Empty(t, u.Phone)
	w.says(u, "Hola")
	w.idle()
	d := w.bot.deliveries()[0]
	require.NotContains(t, d.messages[0], "from")
	require.Equal(t, u.UserID, d.messages[0]["from_user_id"])
	require.Equal(t, map[string]any{"profile": map[string]any{"name": "Ana Ruiz", "username": "anaruiz"}, "user_id": u.UserID}, d.contacts[0])
}

func TestReplyContextNamesItsAuthor(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	own := w.Messages(u.ID)[0].ID
	bots := w.reply(u, "hi")
	for id, from := range map[string]string{own: u.Phone, bots: "15550100200"} {
		wamid, err := w.Send(u.ID, simulator.Text("x").ReplyTo(id))
		require.NoError(t, err)
		w.idle()
		all := w.bot.messages()
		require.Equal(t, map[string]any{"from": from, "id": id}, all[len(all)-1]["context"])
		w.View(func(v simulator.Snapshot) {
			m, _ := v.Message(wamid)
			require.Equal(t, id, m.ContextID)
		})
	}
}

func TestChangedNumber(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	_, err := w.ChangeNumber(u.ID, "34600555666")
	require.NoError(t, err)
	w.idle()
	d := w.bot.deliveries()[1]
	require.Empty(t, d.contacts, "system messages have no contacts")
	require.Equal(t, "34600111222", d.messages[0]["from"])
	require.Equal(t, map[string]any{"body": "User Ana changed from 34600111222 to 34600555666", "wa_id": "34600555666", "type": "user_changed_number"}, d.messages[0]["system"])
	now := w.Users()[0]
	require.Equal(t, "34600555666", now.Phone)
	require.NotEqual(t, u.UserID, now.UserID)
	require.Equal(t, 131026, w.post(`{"messaging_product":"whatsapp","to":"+34600111222","type":"text","text":{"body":"x"}}`).code())
	w.reply(now, "found you")

	_, err = w.ChangeUserID(u.ID, "ES.777")
	require.NoError(t, err)
	w.idle()
	all := w.bot.messages()
	require.Equal(t, map[string]any{"body": "User Ana changed user id", "user_id": "ES.777", "type": "user_changed_user_id"}, all[len(all)-1]["system"])
	require.Equal(t, "ES.777", w.Users()[0].UserID)
	_, err = w.ChangeNumber(u.ID, "12")
	require.Error(t, err)
}

func TestForcedIDIsADuplicateWithOneBubble(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	for range 2 {
		id, err := w.Send(u.ID, simulator.Text("once").WithID("wamid.fixed"))
		require.NoError(t, err)
		require.Equal(t, "wamid.fixed", id)
	}
	w.idle()
	require.Len(t, w.bot.deliveries(), 2)
	require.Len(t, w.Messages(u.ID), 1)
	require.Equal(t, 1, w.Counts().Inbound)
}

func TestEditRevokeAndSignedPost(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	first := w.says(u, "helo")
	_, err := w.EditMessage(u.ID, first, "hello")
	require.NoError(t, err)
	_, err = w.RevokeMessage(u.ID, first)
	require.NoError(t, err)
	w.idle()
	got := w.bot.messages()
	require.Equal(t, "edit", got[1]["type"])
	require.Equal(t, "hello", w.Messages(u.ID)[1].Text)
	require.Equal(t, "revoke", got[2]["type"])

	status, answer, err := w.Post(t.Context(), []byte(`{"entry":[]}`))
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"accepted"}`, string(answer))
	require.True(t, w.bot.deliveries()[3].genuine)
}

func TestFilesOfEveryKind(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	for _, f := range []simulator.File{
		{MIME: "image/jpeg", Caption: "look"},
		{MIME: "video/mp4", Caption: "look"},
		{MIME: "audio/mpeg"},
		{MIME: "application/pdf", Filename: "a.pdf", Caption: "look"},
		{Type: "sticker", MIME: "image/webp", Animated: true},
	} {
		f.Data = []byte("bytes of " + f.MIME)
		_, err := w.SendFile(u.ID, f)
		require.NoError(t, err)
	}
	w.idle()
	got := w.bot.messages()
	require.Len(t, got, 5)
	part := func(i int) map[string]any { return got[i][got[i]["type"].(string)].(map[string]any) }
	require.Equal(t, "look", part(0)["caption"])
	require.Equal(t, "look", part(1)["caption"])
	require.Equal(t, false, part(2)["voice"])
	require.Equal(t, "a.pdf", part(3)["filename"])
	require.Equal(t, true, part(4)["animated"])
	for i := range got {
		require.Subset(t, keys(part(i)), []string{"id", "mime_type", "sha256", "url"})
	}
	_, err := w.SendFile(u.ID, simulator.File{MIME: "image/png"})
	require.Error(t, err, "empty")
	_, err = w.SendFile("u9", simulator.File{MIME: "image/png", Data: []byte("x")})
	require.ErrorIs(t, err, simulator.ErrUnknownUser)
}

func keys(m map[string]any) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestOtherChanges(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.SendChange("account_update", map[string]any{"event": "ACCOUNT_RESTRICTION"}))
	w.idle()
	require.NoError(t, w.SendSystemErrors(131000, "down"))
	w.idle()
	got := w.bot.deliveries()
	require.Equal(t, []string{"account_update"}, got[0].fields)
	require.Contains(t, string(got[1].body), `"errors":[{"code":131000,`)
	require.Error(t, w.SendChange("x", func() {}))
}

func TestSendRefusesNonsense(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	for name, c := range map[string]any{
		"no type": map[string]any{"text": 1}, "array": []int{1}, "broken": json.RawMessage(`{`),
		"id is a number": json.RawMessage(`{"type":"text","id":1}`),
	} {
		_, err := w.Send(u.ID, c)
		require.Error(t, err, name)
	}
	_, err := w.SendText("u99", "x")
	require.ErrorIs(t, err, simulator.ErrUnknownUser)
}

func TestQueueIsBounded(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.WebhookURL = ""; c.MaxQueued = 3 })
	u := w.user(simulator.UserSpec{})
	for range 3 {
		w.says(u, "x")
	}
	_, err := w.SendText(u.ID, "x")
	require.ErrorIs(t, err, simulator.ErrQueueFull)
}

func TestMessagesAreBounded(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.MaxMessages = 5; c.MaxLogEntries = 7 })
	a, b := w.user(simulator.UserSpec{}), w.user(simulator.UserSpec{})
	var ids []string
	for range 4 {
		ids = append(ids, w.says(a, "a"), w.says(b, "b"))
	}
	w.idle()
	require.Len(t, w.Messages(a.ID), 2)
	require.Len(t, w.Messages(b.ID), 3)
	require.Len(t, w.Log(), 7)
	require.Equal(t, 8, w.Counts().Inbound)
	require.Equal(t, 131009, w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"`+ids[0]+`"}`).code())
	require.Contains(t, string(w.post(`{"messaging_product":"whatsapp","status":"read","message_id":"`+ids[7]+`"}`).raw), "true")
}
