package simulator_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestDuplicates(t *testing.T) {
	w := newWorld(t, nil)
	w.faults(func(f *simulator.Faults) { f.DuplicatePercent = 100 })
	var want []string
	for i := range 10 {
		u := w.user(simulator.UserSpec{})
		text := fmt.Sprint("m", i)
		w.says(u, text)
		want = append(want, text, text)
	}
	w.idle()
	require.ElementsMatch(t, want, w.bot.texts())
	require.Equal(t, 10, w.Counts().InboundDelivered)
}

func TestReorderSwapsNeighbours(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	w.faults(func(f *simulator.Faults) { f.ReorderPercent = 100 })
	for _, text := range []string{"1", "2", "3", "4"} {
		w.says(u, text)
	}
	w.idle()
	require.Equal(t, []string{"2", "1", "4", "3"}, w.bot.texts())
}

func TestReorderedLastMessageComesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := simulator.DefaultFaults()
		f.ReorderPercent = 100
		sim := inBubble(t, simulator.Config{WebhookURL: "http://bot.invalid", Faults: &f})
		u, _ := sim.AddUser(simulator.UserSpec{})
		_, err := sim.SendText(u.ID, "last")
		require.NoError(t, err)
		time.Sleep(499 * time.Millisecond)
		synctest.Wait()
		require.Zero(t, sim.Counts().WebhookTries)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, sim.Counts().WebhookTries)
		require.NoError(t, sim.Close())
	})
}

func TestBatches(t *testing.T) {
	w := newWorld(t, nil)
	w.faults(func(f *simulator.Faults) { f.BatchSize = 3; f.BatchWindowMS = 1 })
	u := w.user(simulator.UserSpec{})
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprint("m", i))
		w.says(u, want[i])
	}
	w.idle()
	require.Equal(t, want, w.bot.texts())
	for _, d := range w.bot.deliveries() {
		require.LessOrEqual(t, len(d.messages), 3)
	}
	require.Less(t, len(w.bot.deliveries()), 7)
}

func TestBadSignatureIsTriedAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.faults(func(f *simulator.Faults) { f.BadSignaturePercent = 100 })
	w.says(w.user(simulator.UserSpec{}), "x")
	w.waitFor(func(v simulator.Snapshot) bool { return v.Counts().WebhookTries >= 2 })
	require.Zero(t, w.Counts().WebhookOK)
	w.faults(func(f *simulator.Faults) { f.BadSignaturePercent = 0 })
	w.idle()
	got := w.bot.deliveries()
	require.False(t, got[0].genuine)
	require.Equal(t, http.StatusUnauthorized, got[0].status)
	require.True(t, got[len(got)-1].genuine)
	i := slices.IndexFunc(w.Log(), func(e simulator.Entry) bool { return e.Kind == simulator.LogWebhook })
	require.Equal(t, []string{"bad_signature"}, w.Log()[i].Flags)
}

func TestWebhookDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := simulator.DefaultFaults()
		f.WebhookDelayMS = 3000
		sim := inBubble(t, simulator.Config{WebhookURL: "http://bot.invalid", Faults: &f})
		u, _ := sim.AddUser(simulator.UserSpec{})
		_, err := sim.SendText(u.ID, "x")
		require.NoError(t, err)
		time.Sleep(2999 * time.Millisecond)
		synctest.Wait()
		require.Zero(t, sim.Counts().WebhookTries)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, sim.Counts().WebhookTries)
		require.NoError(t, sim.Close())
	})
}

func TestErrorByRecipientCountsDown(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient = map[string]simulator.RecipientError{"+34600111222": {Code: 131056, HTTPStatus: 400, Times: 2}, "ES.9": {Code: 1}}
	})
	body := `{"messaging_product":"whatsapp","to":"+34600111222","type":"text","text":{"body":"x"}}`
	require.Equal(t, 131056, w.post(body).code())
	require.Equal(t, simulator.RecipientError{Code: 131056, HTTPStatus: 400, Times: 1}, w.Faults().ErrorByRecipient["34600111222"])
	require.Equal(t, 131056, w.post(body).code())
	require.Equal(t, http.StatusOK, w.post(body).status)
	require.Len(t, w.Faults().ErrorByRecipient, 1)
	w.idle()

	w.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient = map[string]simulator.RecipientError{u.UserID: {Code: 131026}}
		f.ErrorsByStatus = true
	})
	require.Equal(t, http.StatusOK, w.post(body).status)
	w.idle()
	names := w.bot.statusNames()
	require.Equal(t, "failed", names[len(names)-1])
}

func TestErrorPercentHitsEveryGraphCall(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	id := w.uploaded([]byte("x"), "text/plain")
	url := w.graph(http.MethodGet, "/"+id).body["url"].(string)
	w.faults(func(f *simulator.Faults) { f.ErrorPercent = 100; f.ErrorCode = 2; f.ErrorHTTPStatus = 503 })
	for name, a := range map[string]answer{
		"send":     w.post(`{"messaging_product":"whatsapp","to":"+` + u.Phone + `","type":"text","text":{"body":"x"}}`),
		"upload":   w.upload([]byte("x"), "text/plain", ""),
		"lookup":   w.graph(http.MethodGet, "/"+id),
		"download": w.graph(http.MethodGet, url),
	} {
		require.Equal(t, 503, a.status, name)
		require.Equal(t, 2, a.code(), name)
	}
}

func TestDroppedAnswerIsAcceptedAllTheSame(t *testing.T) {
	w := newWorld(t, nil)
	u := w.writer()
	w.faults(func(f *simulator.Faults) { f.DropAnswerPercent = 100 })
	req := w.request(http.MethodPost, "/v26.0/"+w.Config().PhoneNumberID+"/messages",
		bytes.NewBufferString(`{"messaging_product":"whatsapp","to":"+34600111222","type":"text","text":{"body":"x"},"biz_opaque_callback_data":"turn-9"}`))
	_, err := http.DefaultTransport.RoundTrip(req)
	require.Error(t, err)
	w.idle()
	require.Len(t, w.Outbound(u.ID), 1)
	require.Equal(t, "turn-9", w.bot.statuses()[0]["biz_opaque_callback_data"])
	i := slices.IndexFunc(w.Log(), func(e simulator.Entry) bool { return e.Kind == simulator.LogSend })
	require.Equal(t, []string{"answer_dropped"}, w.Log()[i].Flags)
}

func TestGraphDelayEndsWithTheCaller(t *testing.T) {
	w := newWorld(t, nil)
	w.faults(func(f *simulator.Faults) { f.GraphDelayMS = 3_600_000 })
	done := make(chan error, 1)
	req := w.request(http.MethodGet, "/v26.0/"+w.Config().PhoneNumberID, nil)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	require.NoError(t, w.Close()) // ends the pause
	require.NoError(t, <-done)
}

func TestCorruptMediaAndRedirect(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	sound := oggOpus(1, 10, 0)
	_, err := w.SendVoice(u.ID, sound)
	require.NoError(t, err)
	w.idle()
	url := w.bot.messages()[0]["audio"].(map[string]any)["url"].(string)
	w.faults(func(f *simulator.Faults) { f.CorruptMediaPercent = 100 })
	got := w.graph(http.MethodGet, url)
	require.Len(t, got.raw, len(sound))
	require.False(t, bytes.Equal(sound, got.raw))

	w.faults(func(f *simulator.Faults) { f.CorruptMediaPercent = 0; f.MediaHostRedirect = "evil.example:81" })
	got = w.graph(http.MethodGet, url)
	require.Equal(t, http.StatusFound, got.status)
	require.Regexp(t, `^http://evil\.example:81/media/`, got.header.Get("Location"))
}

func TestFaultsOutOfRangeChangeNothing(t *testing.T) {
	w := newWorld(t, nil)
	before := w.Faults()
	for name, change := range map[string]func(*simulator.Faults){
		"percent": func(f *simulator.Faults) { f.ErrorPercent = 101 },
		"below":   func(f *simulator.Faults) { f.DuplicatePercent = -1 },
		"batch":   func(f *simulator.Faults) { f.BatchSize = 1001 },
		"delay":   func(f *simulator.Faults) { f.WebhookDelayMS = -1 },
		"status":  func(f *simulator.Faults) { f.DropStatuses = []string{"seen"} },
		"http":    func(f *simulator.Faults) { f.ErrorPercent = 1; f.ErrorHTTPStatus = 200 },
		"times":   func(f *simulator.Faults) { f.ErrorByRecipient["1"] = simulator.RecipientError{Times: -1} },
	} {
		f := w.Faults()
		change(&f)
		require.Error(t, w.SetFaults(f), name)
	}
	require.Equal(t, before, w.Faults())
}
