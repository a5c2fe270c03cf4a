package simulator_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestStatusesEchoTheCallbackData(t *testing.T) {
	w := newWorld(t, nil)
	w.faults(func(f *simulator.Faults) { f.AutoRead = true })
	u := w.user(simulator.UserSpec{Name: "Ana", Phone: "34600111222", Username: "ana"})
	w.says(u, "x")
	w.idle()
	id := w.reply(u, "y")
	w.idle()
	require.Equal(t, []string{"sent", "delivered", "read"}, w.bot.statusNames())
	for i, s := range w.bot.statuses() {
		require.Equal(t, id, s["id"])
		require.Equal(t, "34600111222", s["recipient_id"])
		require.Equal(t, u.UserID, s["recipient_user_id"])
		require.Equal(t, "turn-1", s["biz_opaque_callback_data"])
		require.Equal(t, "1795341600", s["timestamp"])
		require.Equal(t, i < 2, s["pricing"] != nil)
	}
	var usernames []any
	for _, d := range w.bot.deliveries() {
		if len(d.statuses) > 0 {
			usernames = append(usernames, d.contacts[0]["profile"].(map[string]any)["username"])
		}
	}
	require.Equal(t, []any{nil, "ana", "ana"}, usernames)
	require.Equal(t, simulator.StatusRead, w.Outbound(u.ID)[0].Status)
}

func TestReadAndPlayedByTheUser(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.uploaded(oggOpus(1, 10, 0), "audio/ogg")
	voice := w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).wamid()
	text := w.reply(u, "y")
	w.idle()
	require.NoError(t, w.MarkRead(u.ID, voice, text))
	require.NoError(t, w.MarkRead(u.ID, voice), "again: nothing")
	require.NoError(t, w.MarkPlayed(u.ID, voice))
	require.Error(t, w.MarkPlayed(u.ID, text))
	require.ErrorIs(t, w.MarkRead(u.ID, "wamid.x"), simulator.ErrUnknownMessage)
	require.ErrorIs(t, w.MarkRead("u9", voice), simulator.ErrUnknownUser)
	w.idle()
	require.ElementsMatch(t, []string{"sent", "sent", "delivered", "delivered", "read", "read", "played"}, w.bot.statusNames())
	require.Equal(t, simulator.StatusPlayed, w.Outbound(u.ID)[0].Status)
}

func TestLateFailureOfMediaSparesText(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) { f.LateFailureCode = 131053 })
	id := w.uploaded(oggOpus(1, 10, 0), "audio/ogg")
	require.Equal(t, http.StatusOK, w.post(audioBody(u, `{"id":"`+id+`","voice":true}`)).status)
	w.idle()
	require.Equal(t, []string{"sent", "failed"}, w.bot.statusNames())
	failed := w.bot.statuses()[1]
	require.NotContains(t, failed, "pricing")
	require.Equal(t, map[string]any{
		"code": 131053.0, "title": "Media upload error", "message": "Media upload error",
		"error_data": map[string]any{"details": "Media upload error"},
		"href":       "/documentation/business-messaging/whatsapp/support/error-codes",
	}, failed["errors"].([]any)[0])
	last := w.bot.deliveries()[len(w.bot.deliveries())-1]
	require.Empty(t, last.contacts, "failed carries no contact")
	require.Equal(t, &simulator.MessageError{Code: 131053, Title: "Media upload error"}, w.Outbound(u.ID)[0].Error)

	w.reply(u, "as text")
	w.idle()
	require.Equal(t, []string{"sent", "failed", "sent", "delivered"}, w.bot.statusNames())

	w.faults(func(f *simulator.Faults) { f.LateFailureCode = 131026 })
	w.reply(u, "not even text")
	w.idle()
	require.Equal(t, "failed", w.bot.statusNames()[5])
}

func TestStatusSwitches(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*simulator.Faults)
		want   []string
	}{
		"drop":       {func(f *simulator.Faults) { f.DropStatuses = []string{"sent"} }, []string{"delivered"}},
		"drop all":   {func(f *simulator.Faults) { f.DropStatuses = []string{"sent", "delivered"} }, nil},
		"reorder":    {func(f *simulator.Faults) { f.StatusReorder = true }, []string{"delivered", "sent"}},
		"no receipt": {func(f *simulator.Faults) { f.AutoDelivered = false }, []string{"sent"}},
		"delay":      {func(f *simulator.Faults) { f.StatusDelayMS = 1; f.AutoRead = true }, []string{"sent", "delivered", "read"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			u := w.writer()
			w.faults(tc.change)
			w.reply(u, "x")
			w.idle()
			require.Equal(t, tc.want, w.bot.statusNames())
		})
	}
}

func TestFailMessage(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) { f.AutoDelivered = false })
	id := w.reply(u, "x")
	w.idle()
	other := w.reply(u, "y")
	require.NoError(t, w.MarkDelivered(u.ID, other))
	w.idle()
	require.Equal(t, []string{"sent", "sent", "delivered"}, w.bot.statusNames())
	require.NoError(t, w.FailMessage(u.ID, id, 131026))
	require.NoError(t, w.MarkRead(u.ID, id), "a failed message stays failed")
	w.idle()
	require.Equal(t, []string{"sent", "sent", "delivered", "failed"}, w.bot.statusNames())
}
