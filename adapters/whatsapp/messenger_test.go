package whatsapp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// The bodies as Meta's pages show them.
func TestSendSpeaksMetasLanguage(t *testing.T) {
	ref := domain.PartRef{Conversation: "conv1", Turn: "turn1", Part: 1, Attempt: 2}
	byID := domain.Contact{UserID: ana.UserID}
	for name, x := range map[string]struct {
		out  domain.Outbound
		want string
	}{
		"text": {
			domain.Outbound{Number: number, To: ana, Content: domain.OutboundText{Body: "Claro <b> & más."}, ReplyTo: "wamid.B", Ref: ref},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+34600111222","type":"text","text":{"body":"Claro <b> & más.","preview_url":false},
			  "context":{"message_id":"wamid.B"},"biz_opaque_callback_data":"v1/conv1/turn1/1/2"}`,
		},
		"voice": {
			domain.Outbound{Number: number, To: ana, Content: domain.OutboundVoice{Media: "1000000000000001"}, Ref: ref},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+34600111222","type":"audio","audio":{"id":"1000000000000001","voice":true},
			  "biz_opaque_callback_data":"v1/conv1/turn1/1/2"}`,
		},
		"user id": {
			domain.Outbound{Number: number, To: byID, Content: domain.OutboundText{Body: "hi"}},
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"ES.13491208655302740001","type":"text","text":{"body":"hi","preview_url":false}}`,
		},
		"phone with plus": {
			domain.Outbound{Number: number, To: domain.Contact{Phone: "+34600111222"}, Content: domain.OutboundText{Body: "hi"}},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+34600111222","type":"text","text":{"body":"hi","preview_url":false}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGraphServer(t)
			s.putMedia("audio/ogg", []byte("x")) // has the id 1000000000000001
			_, err := s.messenger(nil).Send(t.Context(), x.out)
			require.NoError(t, err)
			require.Len(t, s.sends, 1)
			delete(s.sends[0], "phone_number_id")
			got, err := json.Marshal(s.sends[0])
			require.NoError(t, err)
			assert.JSONEq(t, x.want, string(got))
			assert.Equal(t, recorded{"POST", "/v26.0/106500000000001/messages", "", "application/json", "Bearer " + testToken}, s.requests[0])
		})
	}
}

func TestSendRefusesUnsafeIDs(t *testing.T) {
	s := newGraphServer(t)
	m := s.messenger(nil)
	for _, out := range []domain.Outbound{
		{Number: "../../oauth", To: ana, Content: domain.OutboundText{Body: "hi"}},
		{Number: "1?x=", To: ana, Content: domain.OutboundText{Body: "hi"}},
		{Number: number, To: domain.Contact{Phone: "34600; rm"}, Content: domain.OutboundText{Body: "hi"}},
		{Number: number, To: domain.Contact{Phone: "+"}, Content: domain.OutboundText{Body: "hi"}},
	} {
		_, err := m.Send(t.Context(), out)
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	}
	_, err := m.FetchMedia(t.Context(), domain.MediaRef{ID: "../me"})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	assert.Equal(t, ports.KindInvalid, ports.KindOf(m.MarkRead(t.Context(), "a/b", "wamid.A", false)))
	assert.Equal(t, ports.KindInvalid, ports.KindOf(m.MarkRead(t.Context(), number, "", false)))
	assert.Empty(t, s.requests)
}

func TestMarkReadFailsPlainly(t *testing.T) {
	s := newGraphServer(t)
	m := s.messenger(nil)
	require.NoError(t, m.MarkRead(t.Context(), number, "wamid.B", false))
	assert.Equal(t, map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.B", "phone_number_id": string(number)}, s.receipts[0])
	s.web.CloseClientConnections()
	s.web.Close()
	err := m.MarkRead(t.Context(), number, "wamid.B", true)
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	assert.False(t, ports.MaybeDone(err), "a receipt may be repeated")
}

func clip(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func TestUploadTakesOnlyVoiceNotes(t *testing.T) {
	s := newGraphServer(t)
	m := s.messenger(nil)
	good := porttest.VoiceClip(t).Bytes()
	change := func(at int, b byte) []byte {
		out := append([]byte(nil), good...)
		out[at] = b
		return out
	}
	head := strings.Index(string(good), "OpusHead")
	for name, a := range map[string]domain.Audio{
		"stereo":      clip(t, domain.MIMEOggOpus, change(head+9, 2)),
		"no channel":  clip(t, domain.MIMEOggOpus, change(head+9, 0)),
		"Vorbis":      clip(t, domain.MIMEOggOpus, change(head, 'v')),
		"not Ogg":     clip(t, domain.MIMEOggOpus, change(0, 'X')),
		"wild page":   clip(t, domain.MIMEOggOpus, change(26, 255)),
		"cut":         clip(t, domain.MIMEOggOpus, good[:head+12]),
		"tiny":        clip(t, domain.MIMEOggOpus, []byte("OggS")),
		"wrong type":  clip(t, "audio/mpeg", good),
		"over 16 MB":  clip(t, domain.MIMEOggOpus, append(append([]byte(nil), good...), make([]byte, whatsapp.MaxVoiceBytes)...)),
		"raw samples": clip(t, "audio/l16; rate=24000", []byte{1, 2, 3, 4}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, call := range []func() error{
				func() error { _, err := m.Upload(t.Context(), number, a); return err },
				func() error {
					_, err := m.Send(t.Context(), domain.Outbound{Number: number, To: ana, Content: domain.OutboundVoice{Audio: a}})
					return err
				},
			} {
				var e *ports.Error
				require.ErrorAs(t, call(), &e)
				assert.Equal(t, ports.KindUnsupported, e.Kind)
				assert.Equal(t, ports.ScopeMedia, e.Scope)
			}
		})
	}
	assert.Empty(t, s.requests)
}

func TestUploadFailureSendsNothing(t *testing.T) {
	for name, x := range map[string]struct {
		answer func(w http.ResponseWriter)
		kind   ports.Kind
		scope  ports.Scope
	}{
		"refused type": {func(w http.ResponseWriter) { graphErr(w, 400, 100, "Param file") }, ports.KindUnsupported, ports.ScopeMedia},
		"cut":          {cut, ports.KindTransient, ports.ScopeCall},
		"outage":       {func(w http.ResponseWriter) { w.WriteHeader(502) }, ports.KindTransient, ports.ScopeCall},
		"nonsense":     {func(w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) }, ports.KindTransient, ports.ScopeCall},
		"denied":       {func(w http.ResponseWriter) { graphErr(w, 403, 10, "x") }, ports.KindDenied, ports.ScopeAccount},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGraphServer(t)
			s.nextUpload = x.answer
			_, err := s.messenger(nil).Send(t.Context(), domain.Outbound{Number: number, To: ana, Content: domain.OutboundVoice{Audio: porttest.VoiceClip(t)}})
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, x.kind, e.Kind)
			assert.Equal(t, x.scope, e.Scope)
			assert.False(t, e.MaybeDone, "no message was sent")
			assert.Zero(t, s.attempts)
		})
	}
}

func TestHealthyFollowsTheToken(t *testing.T) {
	s := newGraphServer(t)
	token := testToken
	m := s.messenger(func(c *whatsapp.Config) { c.AccessToken = func() string { return token } })
	require.NoError(t, m.Healthy())

	// Trouble that is not the token's leaves it healthy.
	for _, code := range []int{131047, 130429, 131016, 10} {
		s.refuseNext(403, code)()
		_, err := m.Send(t.Context(), text("hi"))
		require.Error(t, err)
		require.NoError(t, m.Healthy(), "code %d", code)
	}
	for _, x := range [][2]int{{401, 190}, {400, 0}, {400, 104}, {401, 999999}} {
		s.refuseNext(x[0], x[1])()
		_, err := m.Send(t.Context(), text("hi"))
		require.Error(t, err)
		require.Error(t, m.Healthy(), "code %d", x[1])
		assert.NotContains(t, m.Healthy().Error(), testToken)
		_, err = m.Send(t.Context(), text("hi"))
		require.NoError(t, err)
		require.NoError(t, m.Healthy(), "a call with the token succeeded")
	}

	s.locked(func() { s.token = "rotated" })
	require.Error(t, m.MarkRead(t.Context(), number, "wamid.A", true))
	require.Error(t, m.Healthy())
	token = "rotated"
	require.NoError(t, m.Healthy(), "another token has not been refused")
	require.NoError(t, m.MarkRead(t.Context(), number, "wamid.A", true))

	token = ""
	require.Error(t, m.Healthy())
	before := len(s.requests)
	_, err := m.Send(t.Context(), text("hi"))
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.Len(t, s.requests, before, "there was no token to send")
}

func TestNewRefusesBadSettings(t *testing.T) {
	good := func() whatsapp.Config {
		return whatsapp.Config{AccessToken: func() string { return testToken }, PhoneNumberID: number}
	}
	_, err := whatsapp.New(good(), http.DefaultClient)
	require.NoError(t, err)
	_, err = whatsapp.New(good(), nil)
	require.Error(t, err)
	for name, spoil := range map[string]func(*whatsapp.Config){
		"no token function": func(c *whatsapp.Config) { c.AccessToken = nil },
		"version":           func(c *whatsapp.Config) { c.APIVersion = "26" },
		"version with path": func(c *whatsapp.Config) { c.APIVersion = "v26.0/../x" },
		"number":            func(c *whatsapp.Config) { c.PhoneNumberID = "1/2" },
		"plain http":        func(c *whatsapp.Config) { c.BaseURL = "http://graph.facebook.com" },
		"no scheme":         func(c *whatsapp.Config) { c.BaseURL = "graph.facebook.com" },
		"token in the URL":  func(c *whatsapp.Config) { c.BaseURL = "https://graph.facebook.com?access_token=" + testToken },
		"password":          func(c *whatsapp.Config) { c.BaseURL = "https://" + testToken + "@graph.facebook.com" },
		"media host":        func(c *whatsapp.Config) { c.MediaHosts = []string{"https://lookaside.fbsbx.com"} },
		"negative limit":    func(c *whatsapp.Config) { c.MaxMediaBytes = -1 },
		"negative time-out": func(c *whatsapp.Config) { c.SendTimeout = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			spoil(&c)
			_, err := whatsapp.New(c, http.DefaultClient)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), testToken)
		})
	}
}

func TestCallersClientIsLeftAlone(t *testing.T) {
	client := &http.Client{}
	_, err := whatsapp.New(whatsapp.Config{AccessToken: func() string { return "x" }}, client)
	require.NoError(t, err)
	assert.Nil(t, client.CheckRedirect)
	assert.Nil(t, client.Transport)
}

// TestMain makes the default transport refuse every host but this machine.
func TestMain(m *testing.M) {
	http.DefaultTransport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			return nil, errors.New("a test called a host outside this machine")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	os.Exit(m.Run())
}
