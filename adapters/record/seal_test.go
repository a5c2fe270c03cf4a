package record_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
)

func secretOf(id string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(id, 32))[:32])
}

func sealer(t testing.TB, ids ...string) *record.Sealer {
	t.Helper()
	var keys []record.Key
	for _, id := range ids {
		k, err := record.NewKey(id, secretOf(id))
		require.NoError(t, err)
		keys = append(keys, k)
	}
	s, err := record.NewSealer(keys)
	require.NoError(t, err)
	return s
}

func TestSealAndOpen(t *testing.T) {
	s := sealer(t, "a")
	plain := []byte(`{"v":1,"t":"secret"}`)
	sealed := s.Seal(plain, record.KindTurn, "t1")
	assert.NotContains(t, string(sealed), "secret")
	assert.True(t, record.IsSealed(sealed))
	assert.Len(t, sealed, len(plain)+s.Overhead())
	assert.NotEqual(t, sealed, s.Seal(plain, record.KindTurn, "t1"), "a nonce is used once")
	back, err := s.Open(sealed, record.KindTurn, "t1")
	require.NoError(t, err)
	assert.Equal(t, plain, back)

	for name, open := range map[string]func() ([]byte, error){
		"another id":         func() ([]byte, error) { return s.Open(sealed, record.KindTurn, "t2") },
		"another kind":       func() ([]byte, error) { return s.Open(sealed, record.KindFact, "t1") },
		"kind and id run on": func() ([]byte, error) { return s.Open(sealed, "tur", "nt1") },
		"another key":        func() ([]byte, error) { return sealer(t, "b").Open(sealed, record.KindTurn, "t1") },
		"no key":             func() ([]byte, error) { var none *record.Sealer; return none.Open(sealed, record.KindTurn, "t1") },
		"cut short":          func() ([]byte, error) { return s.Open(sealed[:len(sealed)-1], record.KindTurn, "t1") },
		"head alone":         func() ([]byte, error) { return s.Open(sealed[:1], record.KindTurn, "t1") },
	} {
		_, err := open()
		require.ErrorIs(t, err, record.ErrSealed, name)
		assert.True(t, record.Unreadable(err), name)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if got, err := s.Open(broken, record.KindTurn, "t1"); err == nil {
			assert.NotContains(t, string(got), "secret", "byte %d is not authenticated", i)
		}
	}
}

func TestPlainStaysPlainWithoutKey(t *testing.T) {
	var none *record.Sealer
	plain := []byte(`{"v":1}`)
	assert.Equal(t, plain, none.Seal(plain, record.KindTurn, "t1"))
	back, err := none.Open(plain, record.KindTurn, "t1")
	require.NoError(t, err)
	assert.Equal(t, plain, back)
	back, err = sealer(t, "a").Open(plain, record.KindTurn, "t1")
	require.NoError(t, err, "it was written before there was a key")
	assert.Equal(t, plain, back)
}

func TestKeysRotate(t *testing.T) {
	old := sealer(t, "a").Seal([]byte(`{}`), record.KindFact, "t1")
	both := sealer(t, "b", "a")
	sealed, changed, err := both.Reseal(old, record.KindFact, "t1")
	require.NoError(t, err)
	assert.True(t, changed)
	_, err = sealer(t, "b").Open(sealed, record.KindFact, "t1")
	require.NoError(t, err)
	_, changed, err = both.Reseal(sealed, record.KindFact, "t1")
	require.NoError(t, err)
	assert.False(t, changed)
	_, _, err = both.Reseal(old, record.KindFact, "t2")
	require.ErrorIs(t, err, record.ErrSealed)

	renamed, err := record.NewKey("other", secretOf("a"))
	require.NoError(t, err)
	s, err := record.NewSealer([]record.Key{renamed})
	require.NoError(t, err)
	_, err = s.Open(old, record.KindFact, "t1")
	require.NoError(t, err, "the key is the same, whatever it is called")
}

func TestParseKeys(t *testing.T) {
	keys, err := record.ParseKeys(" new:" + secretOf("b") + ", old:" + secretOf("a") + ",")
	require.NoError(t, err)
	require.Len(t, keys, 2)
	assert.Equal(t, "new", keys[0].ID())
	keys, err = record.ParseKeys("")
	require.NoError(t, err)
	assert.Empty(t, keys)
	many := ""
	for i := range record.MaxKeys + 1 {
		many += fmt.Sprintf("k%d:%s,", i, secretOf("a"))
	}
	for name, text := range map[string]string{
		"no id": secretOf("a"), "empty id": ":" + secretOf("a"), "bad id": "a b:" + secretOf("a"), "short": "a:c2hvcnQ=",
		"no base64": "a:" + strings.Repeat("*", 44), "twice": "a:" + secretOf("a") + ",a:" + secretOf("b"), "many": many,
	} {
		_, err := record.ParseKeys(text)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), secretOf("a")[:8], name)
	}
	k, err := record.NewKey("", secretOf("a"))
	require.NoError(t, err)
	again, err := record.NewKey("", base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("a", 32))))
	require.NoError(t, err)
	assert.Equal(t, k.ID(), again.ID(), "the id of a key without one is always the same")
	assert.Len(t, k.ID(), 8)
}

func TestKeysAreNotShown(t *testing.T) {
	k, err := record.NewKey("k1", secretOf("s"))
	require.NoError(t, err)
	text, err := json.Marshal(struct{ K record.Key }{k})
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %x %s", k, k, k, k, k), string(text), fmt.Sprintf("%+v", []record.Key{k})} {
		assert.NotContains(t, shown, "ssss")
		assert.NotContains(t, shown, "115 115")
		assert.NotContains(t, shown, "7373")
		assert.Contains(t, shown, "k1")
	}
}

func TestNames(t *testing.T) {
	s := sealer(t, "a")
	n, kept := s.NewNames()
	same, err := s.OpenNames(kept)
	require.NoError(t, err)
	other, _ := s.NewNames()
	var plain *record.Names
	assert.Equal(t, n.Of("phone", "1", "2"), same.Of("phone", "1", "2"))
	assert.Len(t, n.Of("phone", "1"), 22)
	seen := map[string]bool{}
	for _, name := range []string{n.Of("phone", "1", "2"), n.Of("user", "1", "2"), n.Of("phone", "12"), n.Of("phone", "12", ""), other.Of("phone", "1", "2"), plain.Of("phone", "1", "2")} {
		assert.False(t, seen[name], "two names are one")
		seen[name] = true
	}
	_, err = sealer(t, "b").OpenNames(kept)
	require.ErrorIs(t, err, record.ErrSealed)
	_, err = s.OpenNames([]byte("plain"))
	require.ErrorIs(t, err, record.ErrSealed)
}

func TestSealedRecords(t *testing.T) {
	s := sealer(t, "a")
	for _, c := range contents() {
		data, err := s.EncodeMessage(message(c), "name")
		require.NoError(t, err)
		back, err := s.DecodeMessage(data, "name")
		require.NoError(t, err)
		assert.Equal(t, message(c).Content, back.Content)
		_, err = s.DecodeMessage(data, "another")
		require.ErrorIs(t, err, record.ErrSealed)
	}
	data, err := s.EncodeStatus(domain.Status{Message: "m"}, "t1")
	require.NoError(t, err)
	_, err = s.DecodeStatus(data, "t2")
	require.ErrorIs(t, err, record.ErrSealed)
	_, err = s.EncodeMessage(domain.Message{}, "name")
	require.ErrorIs(t, err, domain.ErrNoMessageID)
}

// FuzzOpen demands that nothing makes a sealer panic, that what does not come from it
// never opens, and that whatever is sealed comes back, in its place alone.
func FuzzOpen(f *testing.F) {
	s, other := sealer(f, "a", "b"), sealer(f, "c")
	for _, c := range contents() {
		data, err := record.EncodeMessage(message(c))
		require.NoError(f, err)
		f.Add(data, "name")
		f.Add(s.Seal(data, record.KindMessage, "name"), "name")
		f.Add(other.Seal(data, record.KindMessage, "name"), "name")
	}
	f.Add([]byte{1}, "")
	f.Add([]byte{1, 255, 'a'}, "")
	f.Add([]byte{1, 1, 'a', 0}, "\x00")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		if record.IsSealed(data) {
			if plain, err := s.Open(data, record.KindFact, id); err == nil {
				t.Fatalf("sealed elsewhere, opened: %q", plain)
			}
		}
		_, _ = s.DecodeMessage(data, domain.Text{Body: id}.Body)
		_, _ = s.DecodeTurn(data, domain.TurnID(id))
		_, _ = s.DecodeConversation(data, domain.ConversationID(id))
		_, _ = s.DecodeStatus(data, domain.TurnID(id))
		sealed := s.Seal(data, record.KindTurn, id)
		back, err := s.Open(sealed, record.KindTurn, id)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, back))
		_, err = s.Open(sealed, record.KindTurn, id+"x")
		require.ErrorIs(t, err, record.ErrSealed)
		for _, i := range []int{0, 1, 2, len(sealed) / 2, len(sealed) - 1} {
			broken := bytes.Clone(sealed)
			broken[i] ^= 0x80
			if record.IsSealed(broken) {
				_, err = s.Open(broken, record.KindTurn, id)
				require.ErrorIs(t, err, record.ErrSealed)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{300, 2000} {
		s, plain := sealer(b, "a"), bytes.Repeat([]byte("x"), size)
		b.Run(fmt.Sprintf("Seal%d", size), func(b *testing.B) {
			for b.Loop() {
				s.Seal(plain, record.KindTurn, "t1")
			}
		})
		sealed := s.Seal(plain, record.KindTurn, "t1")
		b.Run(fmt.Sprintf("Open%d", size), func(b *testing.B) {
			for b.Loop() {
				_, _ = s.Open(sealed, record.KindTurn, "t1")
			}
		})
	}
	n, _ := sealer(b, "a").NewNames()
	b.Run("Name", func(b *testing.B) {
		for b.Loop() {
			n.Of("phone", "34600123456")
		}
	})
}
