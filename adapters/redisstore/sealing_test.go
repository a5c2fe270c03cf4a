package redisstore_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/test/redisserver"
)

// keysOf makes a key of each word, always the same one.
func keysOf(t testing.TB, ids ...string) []record.Key {
	t.Helper()
	var out []record.Key
	for _, id := range ids {
		secret := []byte(strings.Repeat(id, 32))[:32]
		k, err := record.NewKey(id, base64.StdEncoding.EncodeToString(secret))
		require.NoError(t, err)
		out = append(out, k)
	}
	return out
}

const (
	sealedWords = "the code of my safe is 4711"
	sealedName  = "Ana Marcadora"
	sealedPhone = "34600123456"
	sealedUser  = "ES.8877665544"
	sealedID    = "wamid.34600123456"
)

var sealedMarkers = []string{sealedWords, sealedName, sealedPhone, sealedUser, "answer to the safe", "wamid.answer"}

func sealedMessage(id string) domain.Message {
	return domain.Message{
		ID: domain.MessageID(sealedID + id), Number: "100", SentAt: time.Unix(1_800_000_000, 0),
		From:    domain.Contact{UserID: sealedUser, Phone: sealedPhone, Name: sealedName},
		Content: domain.Text{Body: sealedWords},
	}
}

// lived gives a store one record of every kind, and returns the conversation.
func lived(t *testing.T, s *redisstore.Store) domain.ConversationID {
	t.Helper()
	require.True(t, admit(t, s, sealedMessage("1"))[0].New)
	w, ok := lease(t, s, 10*time.Second)
	require.True(t, ok)
	turn, err := domain.NewTurn("t1", w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	require.NoError(t, turn.Answer(domain.Reply{Text: "answer to the safe"}))
	require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "answer to the safe"}}))
	require.NoError(t, turn.Intend(0, time.Unix(1_800_000_000, 0)))
	require.NoError(t, turn.Accepted(0, "wamid.answer"))
	w.Conversation.Remember(domain.Memory{Messages: 6, Tokens: 100_000}, domain.Remark{Role: domain.RoleUser, Text: sealedWords, Turn: "t1"})
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	observed(t, s, true)

	require.True(t, admit(t, s, sealedMessage("2"))[0].New)
	w, ok = lease(t, s, 10*time.Second)
	require.True(t, ok)
	turn, err = domain.NewTurn("t2", w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	require.NoError(t, turn.Die("test"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	require.True(t, admit(t, s, sealedMessage("3"))[0].New)
	return w.Lease.Conversation
}

func observed(t *testing.T, s *redisstore.Store, fresh bool) {
	t.Helper()
	seen, err := s.Observe(t.Context(), []domain.Status{{Message: "wamid.answer", Recipient: sealedMessage("").From, State: domain.DeliveryDelivered}})
	require.NoError(t, err)
	require.Equal(t, domain.TurnID("t1"), seen[0].Turn)
	require.Equal(t, fresh, seen[0].New)
}

// complete reads back all that lived wrote, and that ids and names are known.
func complete(t *testing.T, s *redisstore.Store, conv domain.ConversationID) {
	t.Helper()
	c, err := s.Load(t.Context(), conv)
	require.NoError(t, err)
	assert.Equal(t, sealedWords, c.History()[0].Text)
	turns, err := s.Turns(t.Context(), conv, 10)
	require.NoError(t, err)
	require.Len(t, turns, 2)
	assert.Equal(t, "answer to the safe", turns[1].Reply().Text)
	assert.Equal(t, domain.TurnDelivered, turns[1].State(), "facts are read")
	letters, err := s.DeadLetters(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	assert.Equal(t, domain.Text{Body: sealedWords}, letters[0].Messages[0].Content)
	observed(t, s, false)
	for _, id := range []string{"1", "2", "3"} {
		assert.False(t, admit(t, s, sealedMessage(id))[0].New, "ids stay known")
	}
	for _, who := range []domain.Contact{{UserID: sealedUser}, {Phone: sealedPhone}} {
		found, err := s.Find(t.Context(), who)
		require.NoError(t, err)
		assert.Equal(t, []domain.ConversationID{conv}, found)
	}
}

func (s *site) shows(t *testing.T, markers ...string) (shown []string) {
	t.Helper()
	dump := s.dump(t)
	for _, m := range markers {
		if strings.Contains(dump, m) {
			shown = append(shown, m)
		}
	}
	return shown
}

func sealedSite(t *testing.T) *site {
	t.Helper()
	server := redisserver.Start(t, redisserver.Options{})
	return &site{url: server.URL(), masters: []*redisserver.Server{server}}
}

func (s *site) with(t *testing.T, keys ...record.Key) *redisstore.Store {
	t.Helper()
	s.secrets = keys
	return open(t, s.options())
}

func TestSealing(t *testing.T) {
	t.Parallel()
	site := sealedSite(t)
	names := func() []string { return site.keysLike(t, ":n:") }

	t.Run("SealedDataShowsNothing", func(t *testing.T) {
		site.last = "shows"
		s := site.with(t, keysOf(t, "a")...)
		conv := lived(t, s)
		assert.Empty(t, site.shows(t, sealedMarkers...))
		complete(t, s, conv)
		complete(t, site.with(t, keysOf(t, "a")...), conv)
	})
	t.Run("NamesAreKeyed", func(t *testing.T) {
		site.last = "plainnames"
		lived(t, site.with(t))
		plain := names()
		site.last = "keyednames"
		lived(t, site.with(t, keysOf(t, "a")...))
		keyed := names()
		require.NotEmpty(t, plain)
		for _, n := range keyed {
			for _, p := range plain {
				assert.NotEqual(t, p[strings.LastIndexByte(p, ':'):], n[strings.LastIndexByte(n, ':'):], "who tries all phone numbers finds it")
			}
		}
	})
	t.Run("PlainDataIsReadAndSealedWhenWritten", func(t *testing.T) {
		site.last = "plain"
		conv := lived(t, site.with(t))
		require.Contains(t, site.shows(t, sealedMarkers...), sealedWords)
		s := site.with(t, keysOf(t, "a")...)
		complete(t, s, conv)
		_, err := s.Reseal(t.Context())
		require.NoError(t, err)
		assert.Empty(t, site.shows(t, sealedMarkers...))
		complete(t, s, conv)
	})
	t.Run("KeysAreRotated", func(t *testing.T) {
		site.last = "rotated"
		conv := lived(t, site.with(t, keysOf(t, "a")...))
		s := site.with(t, keysOf(t, "b", "a")...)
		complete(t, s, conv)
		done, err := s.Reseal(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 6, done, "memory, two turns, a fact, a dead letter's message, one that waits")
		complete(t, site.with(t, keysOf(t, "b")...), conv)
		done, err = s.Reseal(t.Context())
		require.NoError(t, err)
		assert.Zero(t, done)
	})
	t.Run("DataIsRefusedWithoutItsKey", func(t *testing.T) {
		site.last = "refused"
		site.with(t, keysOf(t, "a")...)
		_, err := redisstore.Open(t.Context(), site.optionsWith())
		require.ErrorContains(t, err, "sealed, and no key is given")
		_, err = redisstore.Open(t.Context(), site.optionsWith(keysOf(t, "b")...))
		require.ErrorContains(t, err, "sealed, and none of the keys given opens it")
		site.with(t, keysOf(t, "b", "a")...)
	})
	t.Run("ValuesCannotBeSwapped", func(t *testing.T) {
		site.last = "swapped"
		s := site.with(t, keysOf(t, "a")...)
		conv := lived(t, s)
		m := site.masters[0]
		var turns []string
		for _, k := range site.keysLike(t, ":t:") {
			if !strings.HasSuffix(k, ":dm") {
				turns = append(turns, k)
			}
		}
		require.Len(t, turns, 2)
		m.Must(t, "EVAL", "redis.call('HSET', KEYS[1], 'd', redis.call('HGET', KEYS[2], 'd'))", "2", turns[0], turns[1])
		_, err := s.Turns(t.Context(), conv, 10)
		require.ErrorIs(t, err, record.ErrSealed)
	})
}

func (s *site) optionsWith(keys ...record.Key) redisstore.Options {
	opt := s.options()
	opt.Keys = keys
	return opt
}

// keysLike lists the keys of the newest store that hold a part.
func (s *site) keysLike(t *testing.T, part string) []string {
	t.Helper()
	var out []string
	for _, m := range s.masters {
		for _, k := range s.keys(t, m) {
			if strings.Contains(k, part) {
				out = append(out, k)
			}
		}
	}
	return out
}
