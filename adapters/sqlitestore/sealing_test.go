package sqlitestore_test

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
)

// keysOf makes a key of each letter or word, always the same one.
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
func lived(t *testing.T, s *sqlitestore.Store) domain.ConversationID {
	t.Helper()
	admitOne(t, s, "1")
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t1", w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	require.NoError(t, turn.Answer(domain.Reply{Text: "answer to the safe"}))
	require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "answer to the safe"}}))
	require.NoError(t, turn.Intend(0, time.Unix(1_800_000_000, 0)))
	require.NoError(t, turn.Accepted(0, "wamid.answer"))
	w.Conversation.Remember(domain.Memory{Messages: 6, Tokens: 100_000}, domain.Remark{Role: domain.RoleUser, Text: sealedWords, Turn: "t1"})
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	observed(t, s, domain.DeliveryDelivered, true)

	admitOne(t, s, "2")
	w, err = s.Lease(t.Context())
	require.NoError(t, err)
	turn, err = domain.NewTurn("t2", w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	require.NoError(t, turn.Die("test"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	admitOne(t, s, "3")
	return w.Lease.Conversation
}

func admitOne(t *testing.T, s *sqlitestore.Store, id string) {
	t.Helper()
	out, err := s.Admit(t.Context(), []domain.Message{sealedMessage(id)})
	require.NoError(t, err)
	require.True(t, out[0].New)
}

func observed(t *testing.T, s *sqlitestore.Store, state domain.DeliveryState, fresh bool) {
	t.Helper()
	seen, err := s.Observe(t.Context(), []domain.Status{{Message: "wamid.answer", Recipient: sealedMessage("").From, State: state}})
	require.NoError(t, err)
	require.Equal(t, domain.TurnID("t1"), seen[0].Turn)
	require.Equal(t, fresh, seen[0].New)
}

// complete reads back all that lived wrote, and that ids and names are known.
func complete(t *testing.T, s *sqlitestore.Store, conv domain.ConversationID) {
	t.Helper()
	c, err := s.Load(t.Context(), conv)
	require.NoError(t, err)
	assert.Equal(t, sealedName, c.Contact().Name)
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
	observed(t, s, domain.DeliveryDelivered, false)
	for _, id := range []string{"1", "2", "3"} {
		out, err := s.Admit(t.Context(), []domain.Message{sealedMessage(id)})
		require.NoError(t, err)
		assert.False(t, out[0].New, "ids stay known")
	}
	for _, who := range []domain.Contact{{UserID: sealedUser}, {Phone: sealedPhone}} {
		found, err := s.Find(t.Context(), who)
		require.NoError(t, err)
		assert.Equal(t, []domain.ConversationID{conv}, found)
	}
}

func noneOf(t *testing.T, path string, markers ...string) {
	t.Helper()
	all := files(t, path)
	for _, m := range markers {
		assert.False(t, bytes.Contains(all, []byte(m)), "the files show %q", m)
	}
}

func reopenWith(t *testing.T, path string, keys ...record.Key) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path, Keys: keys})
	require.NoError(t, err)
	return s
}

func TestSealedFileShowsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := reopenWith(t, path, keysOf(t, "a")...)
	conv := lived(t, s)
	noneOf(t, path, sealedMarkers...)
	complete(t, s, conv)
	require.NoError(t, s.Close())
	noneOf(t, path, sealedMarkers...)
	s = reopenWith(t, path, keysOf(t, "a")...)
	complete(t, s, conv)
	// A dead letter is still sealed for its place once its message waits again.
	require.NoError(t, s.Replay(t.Context(), "t2"))
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	assert.Len(t, w.Pending, 2)
	require.NoError(t, s.Close())
}

// A file that was begun without a key is sealed whole by the first start with one, and
// free space keeps nothing of what it was.
func TestPlainFileIsSealedByTheFirstKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := reopenWith(t, path)
	conv := lived(t, s)
	require.NoError(t, s.Close())
	for _, m := range sealedMarkers {
		require.True(t, bytes.Contains(files(t, path), []byte(m)), "plain files show %q", m)
	}
	s = reopenWith(t, path, keysOf(t, "a")...)
	noneOf(t, path, sealedMarkers...)
	complete(t, s, conv)
	require.NoError(t, s.Close())
	noneOf(t, path, sealedMarkers...)
}

func TestKeysAreRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := reopenWith(t, path, keysOf(t, "a")...)
	conv := lived(t, s)
	require.NoError(t, s.Close())
	s = reopenWith(t, path, keysOf(t, "b", "a")...)
	complete(t, s, conv)
	require.NoError(t, s.Close())
	s = reopenWith(t, path, keysOf(t, "b")...) // the former key is not needed any more
	complete(t, s, conv)
	require.NoError(t, s.Close())
	_, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path, Keys: keysOf(t, "a")})
	require.ErrorContains(t, err, "none of the keys given opens it")
}

func TestSealedFileIsRefusedWithoutItsKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	require.NoError(t, reopenWith(t, path, keysOf(t, "a")...).Close())
	before := files(t, path)
	_, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	require.ErrorContains(t, err, "it is sealed, and no key is given: give the key with which it was sealed (STORE_KEY or STORE_KEYS)")
	_, err = sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path, Keys: keysOf(t, "b")})
	require.ErrorContains(t, err, "it is sealed, and none of the keys given opens it")
	assert.Equal(t, len(before), len(files(t, path)), "nothing was written")
	require.NoError(t, reopenWith(t, path, keysOf(t, "b", "a")...).Close())
}

// A sealed value opens in its own place alone.
func TestSealedValuesCannotBeSwapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := reopenWith(t, path, keysOf(t, "a")...)
	defer func() { require.NoError(t, s.Close()) }()
	conv := lived(t, s)
	require.NoError(t, s.Exec(`UPDATE turns SET data = (SELECT data FROM turns WHERE id = 't2') WHERE id = 't1'`))
	_, err := s.Turns(t.Context(), conv, 10)
	require.ErrorIs(t, err, record.ErrSealed)
	require.NoError(t, s.Exec(`UPDATE memory SET data = (SELECT data FROM turns WHERE id = 't2')`))
	_, err = s.Load(t.Context(), conv)
	require.ErrorIs(t, err, record.ErrSealed)
	require.NoError(t, s.Exec(`UPDATE dead_messages SET data = (SELECT data FROM inbox)`))
	_, err = s.DeadLetters(t.Context(), 10)
	require.ErrorIs(t, err, record.ErrSealed)
}
