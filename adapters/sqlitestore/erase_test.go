package sqlitestore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// SQLite moves records between pages, splits pages and reuses them, and leaves copies
// behind in gaps.
func TestEraseLeavesNoTraceInTheFiles(t *testing.T) {
	const people, rounds = 100, 6
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "bot.db")
	s := open(t, sqlitestore.Options{Path: path})
	marker := func(person int) string { return fmt.Sprintf("p%04dq", person) }
	message := func(person int, id string) domain.Message {
		return domain.Message{
			ID: domain.MessageID("wamid." + marker(person) + id), Number: "100", SentAt: time.Unix(1_800_000_000, 0),
			From:    domain.Contact{UserID: domain.UserID("ES." + marker(person)), Phone: domain.Phone(marker(person)), Name: marker(person)},
			Content: domain.Text{Body: strings.Repeat(marker(person)+" ", 1+random.IntN(1<<random.IntN(10)))},
		}
	}
	for round := range rounds {
		order := random.Perm(people)
		for _, person := range order {
			_, err := s.Admit(t.Context(), []domain.Message{message(person, strconv.Itoa(round))})
			require.NoError(t, err)
		}
		for range people {
			w, err := s.Lease(t.Context())
			require.NoError(t, err)
			live(t, s, random, w)
		}
	}
	for _, person := range random.Perm(people)[:people/3] {
		require.True(t, bytes.Contains(files(t, path), []byte(marker(person))))
		gone, err := s.Erase(t.Context(), message(person, "").From)
		require.NoError(t, err)
		require.Equal(t, 1, gone.Conversations)
		all := files(t, path)
		i := bytes.Index(all, []byte(marker(person)))
		require.Negative(t, i, "person %d is mentioned at byte %d of %d", person, i, len(all))
	}
}

// live does one of the things that can happen to a leased conversation.
func live(t *testing.T, s *sqlitestore.Store, random *rand.Rand, w ports.Work) {
	words := w.Pending[0].Content.(domain.Text).Body
	id := domain.TurnID(string(w.Pending[0].ID) + "." + strconv.FormatUint(random.Uint64(), 36))
	if len(w.Open) > 0 {
		id = w.Open[0].ID()
	}
	turn, err := domain.NewTurn(id, w.Lease.Conversation, w.Pending, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	require.NoError(t, turn.Hear(w.Pending[0].ID, domain.Transcript{Text: words}))
	require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
	if random.IntN(4) == 0 {
		require.NoError(t, s.Defer(t.Context(), w.Lease, &turn, 0))
		return
	}
	if random.IntN(4) == 0 {
		require.NoError(t, turn.Die("test"))
		require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
		if random.IntN(2) == 0 {
			require.NoError(t, s.Replay(t.Context(), id))
		}
		return
	}
	require.NoError(t, turn.Answer(domain.Reply{Text: words}))
	require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: words}}))
	require.NoError(t, turn.Intend(0, time.Unix(1_800_000_000, 0)))
	require.NoError(t, turn.Accepted(0, domain.MessageID("sent."+id)))
	w.Conversation.Remember(domain.Memory{Messages: 6, Tokens: 100_000}, domain.Remark{Role: domain.RoleUser, Text: words, Turn: id})
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	_, err = s.Observe(t.Context(), []domain.Status{{Message: domain.MessageID("sent." + id), Recipient: w.Pending[0].From, State: domain.DeliveryRead}})
	require.NoError(t, err)
}

// While somebody reads, the log cannot be cut. Erase says so, and does it later.
func TestEraseWaitsForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := open(t, sqlitestore.Options{Path: path})
	m := textFrom(1, "1")
	_, err := s.Admit(t.Context(), []domain.Message{m})
	require.NoError(t, err)
	require.NoError(t, s.Exec(`PRAGMA busy_timeout = 1`))

	other, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	tx, err := other.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRow(`SELECT count(*) FROM inbox`).Scan(&n))

	_, err = s.Erase(t.Context(), m.From)
	require.Error(t, err)
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	assert.True(t, ports.Retryable(err))
	_, err = s.Admit(t.Context(), []domain.Message{textFrom(2, "2")})
	require.NoError(t, err, "others are served")

	require.NoError(t, tx.Rollback())
	_, err = s.Erase(t.Context(), m.From)
	require.NoError(t, err)
	assert.False(t, bytes.Contains(files(t, path), []byte(m.From.UserID)))
}

// An erased conversation's row may be given to another; nobody may be handed that
// one's messages under the old lease, nor write under it.
func TestEraseBetweenClaimAndAnswer(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	old, err := s.LeaseWith(func() {
		_, err := s.Erase(t.Context(), textFrom(1, "").From)
		require.NoError(t, err)
		_, err = s.Admit(t.Context(), []domain.Message{textFrom(2, "2")})
		require.NoError(t, err)
	})
	require.NoError(t, err)
	require.Len(t, old.Pending, 1)
	assert.Equal(t, domain.MessageID("wamid.1"), old.Pending[0].ID)
	turn, err := domain.NewTurn("t1", old.Lease.Conversation, old.Pending, time.Now())
	require.NoError(t, err)
	require.ErrorIs(t, s.Checkpoint(t.Context(), old.Lease, turn), ports.ErrLeaseLost)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	assert.Equal(t, domain.MessageID("wamid.2"), w.Pending[0].ID)
}

func TestDiscardedTurnLeavesWithTheOthers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Path: filepath.Join(t.TempDir(), "bot.db"), Clock: func() time.Time { return now }})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t1", w.Lease.Conversation, w.Pending, now)
	require.NoError(t, err)
	require.NoError(t, turn.Die("test"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	require.NoError(t, s.Discard(t.Context(), "t1"))
	turns := func() int {
		require.NoError(t, s.Sweep(t.Context()))
		n, err := s.Count(`SELECT count(*) FROM turns`)
		require.NoError(t, err)
		return n
	}
	now = now.Add(ports.DefaultTurns - 1)
	assert.Equal(t, 1, turns())
	now = now.Add(1)
	assert.Zero(t, turns())
}

func TestReplayKeepsTheAgeOfTheBacklog(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Path: filepath.Join(t.TempDir(), "bot.db"), Clock: func() time.Time { return now }})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t1", w.Lease.Conversation, w.Pending, now)
	require.NoError(t, err)
	require.NoError(t, turn.Die("test"))
	require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	now = now.Add(time.Hour)
	waits := now
	_, err = s.Admit(t.Context(), []domain.Message{textFrom(2, "2")})
	require.NoError(t, err)
	now = now.Add(time.Hour)
	require.NoError(t, s.Replay(t.Context(), "t1"))
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, b.Messages)
	assert.True(t, waits.Equal(b.Oldest), b.Oldest)
}

// Names are looked up, not searched for: people are many.
func TestFindUsesTheIndex(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	plan, err := s.Plan(sqlitestore.FindText, "ES.1", "34600")
	require.NoError(t, err)
	for _, step := range plan {
		assert.NotRegexp(t, `^SCAN (a|aliases|c|conversations)\b`, step)
	}
}

func TestPacerForgetsFullBuckets(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Path: filepath.Join(t.TempDir(), "bot.db"), Clock: func() time.Time { return now }})
	held := ports.Bucket{Key: "held", Capacity: 1, Every: time.Second}
	require.NoError(t, s.Hold(t.Context(), held, 24*time.Hour))
	for i := range 20_000 {
		_, err := s.Take(t.Context(), ports.Bucket{Key: strconv.Itoa(i), Capacity: 45, Every: 6 * time.Second})
		require.NoError(t, err)
		now = now.Add(100 * time.Millisecond) // 60 are not full at any moment
	}
	assert.Less(t, s.Buckets(), 1100)
	wait, err := s.Take(t.Context(), held)
	require.NoError(t, err)
	assert.Greater(t, wait, 23*time.Hour)
	for _, b := range []ports.Bucket{{Capacity: 1, Every: 1}, {Key: "k", Every: 1}, {Key: "k", Capacity: 1}} {
		_, err := s.Take(t.Context(), b)
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	}
}
