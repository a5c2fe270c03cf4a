package sqlitestore_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestPanicOfAWriteIsNotRepeated: its value may quote what a user wrote. The store goes on.
func TestPanicOfAWriteIsNotRepeated(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	err := s.Panic("what Ana wrote")
	var panicked *ports.PanicError
	require.ErrorAs(t, err, &panicked)
	assert.Equal(t, "string", panicked.Type)
	assert.Contains(t, string(panicked.Stack), "runSafely")
	assert.NotContains(t, err.Error(), "Ana")
	_, err = s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
}

func TestCloseAnswersWaitingCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		got := make(chan error, 3)
		for range cap(got) {
			go func() {
				_, err := s.Lease(t.Context())
				got <- err
			}()
		}
		synctest.Wait()
		require.NoError(t, s.Close())
		for range cap(got) {
			assert.ErrorIs(t, <-got, sqlitestore.ErrClosed)
		}
		_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
		assert.ErrorIs(t, err, sqlitestore.ErrClosed)
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
		_, err = s.Lease(t.Context())
		assert.ErrorIs(t, err, sqlitestore.ErrClosed)
		_, err = s.Load(t.Context(), "c")
		assert.ErrorIs(t, err, sqlitestore.ErrClosed)
		assert.ErrorIs(t, s.Ping(t.Context()), sqlitestore.ErrClosed)
	})
}

// A lease granted at the moment its caller gives up must not block the
// conversation until it runs out.
func TestLeaseOfCallerThatGaveUpIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		for i := range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if w, err := s.Lease(ctx); err == nil {
					assert.NoError(t, s.Release(t.Context(), w.Lease))
				}
			})
			synctest.Wait()
			wg.Go(cancel)
			_, err := s.Admit(t.Context(), []domain.Message{textFrom(i, strconv.Itoa(i))})
			require.NoError(t, err)
			wg.Wait()
			brief, stop := context.WithTimeout(t.Context(), time.Second)
			w, err := s.Lease(brief)
			stop()
			require.NoError(t, err, "round %d", i)
			turn, err := domain.NewTurn(domain.TurnID(strconv.Itoa(i)), w.Lease.Conversation, w.Pending, time.Now())
			require.NoError(t, err)
			require.NoError(t, turn.Drop("test"))
			require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
		}
	})
}

func TestFinishRefusesWhatWouldBeForgotten(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1"), textFrom(2, "2")})
	require.NoError(t, err)
	a, err := s.Lease(t.Context())
	require.NoError(t, err)
	b, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t1", a.Lease.Conversation, a.Pending, time.Now())
	require.NoError(t, err)
	assert.Equal(t, ports.KindInvalid, ports.KindOf(s.Finish(t.Context(), a.Lease, turn, a.Conversation)), "the turn is not settled")
	assert.Equal(t, ports.KindInvalid, ports.KindOf(s.Checkpoint(t.Context(), b.Lease, turn)), "the turn is another conversation's")
	require.NoError(t, s.Checkpoint(t.Context(), a.Lease, turn))
	require.NoError(t, turn.Drop("test"))
	assert.Equal(t, ports.KindInvalid, ports.KindOf(s.Finish(t.Context(), a.Lease, turn, b.Conversation)), "the conversation is another")
	same, err := domain.NewTurn("t1", b.Lease.Conversation, b.Pending, time.Now())
	require.NoError(t, err)
	assert.Equal(t, ports.KindInvalid, ports.KindOf(s.Checkpoint(t.Context(), b.Lease, same)), "the id is taken")
	require.NoError(t, s.Finish(t.Context(), a.Lease, turn, a.Conversation))
}

func TestPingAndBacklog(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Clock: func() time.Time { return now }})
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, b)
	first := now
	for i := range 3 {
		_, err := s.Admit(t.Context(), []domain.Message{textFrom(i%2, strconv.Itoa(i))})
		require.NoError(t, err)
		now = now.Add(time.Second)
	}
	b, err = s.Backlog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, b.Conversations)
	assert.Equal(t, 3, b.Messages)
	assert.True(t, first.Equal(b.Oldest), b.Oldest)

	require.NoError(t, s.Ping(t.Context()))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, ports.KindCanceled, ports.KindOf(s.Ping(canceled)))
	require.NoError(t, s.Exec(`CREATE TEMP TRIGGER broken BEFORE INSERT ON main.beat BEGIN SELECT RAISE(ABORT, 'test'); END`))
	assert.NoError(t, s.Ping(t.Context()), "a commit of this moment proves enough")
	now = now.Add(2 * time.Second)
	assert.Equal(t, ports.KindTransient, ports.KindOf(s.Ping(t.Context())), "later it writes, and sees the failure")
}

// One write that fails takes nothing with it that shares its transaction.
func TestGroupCommitKeepsWritesApart(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	require.NoError(t, s.Exec(`CREATE TEMP TRIGGER broken AFTER INSERT ON main.inbox WHEN new.id LIKE '%bad%' BEGIN SELECT RAISE(ABORT, 'test'); END`))
	const callers = 64
	start := make(chan struct{})
	var wg sync.WaitGroup
	failed := make([]error, callers)
	for i := range callers {
		wg.Go(func() {
			<-start
			name := "good" + strconv.Itoa(i)
			if i%3 == 0 {
				name = "bad" + strconv.Itoa(i)
			}
			_, failed[i] = s.Admit(t.Context(), []domain.Message{textFrom(i, "fine"+strconv.Itoa(i)), textFrom(i, name)})
		})
	}
	close(start)
	wg.Wait()
	good := 0
	for i, err := range failed {
		if i%3 == 0 {
			assert.Equal(t, ports.KindTransient, ports.KindOf(err))
			continue
		}
		good++
		assert.NoError(t, err)
	}
	for table, want := range map[string]int{"inbox": 2 * good, "ids": 2 * good, "aliases": 2 * good, "conversations": good} {
		n, err := s.Count(`SELECT count(*) FROM ` + table)
		require.NoError(t, err)
		assert.Equal(t, want, n, "%s: a failed write leaves nothing", table)
	}
	// The cache of aliases must not remember conversations that were taken back.
	require.NoError(t, s.Exec(`DROP TRIGGER temp.broken`))
	out, err := s.Admit(t.Context(), []domain.Message{textFrom(0, "again")})
	require.NoError(t, err)
	n, err := s.Count(`SELECT count(*) FROM conversations WHERE id = '` + string(out[0].Conversation) + `'`)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

// A disk that hangs must not hold callers longer than they are willing to wait,
// whether they are in the writer's hands, in the queue, or before it.
func TestStalledWriterHoldsNobodyBeyondContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stalled atomic.Bool
		goOn := make(chan struct{})
		s := open(t, sqlitestore.Options{MaxQueue: 1, Clock: func() time.Time {
			if stalled.Load() { // the writer reads the clock at the start of a transaction
				<-goOn
			}
			return time.Now()
		}})
		stalled.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				_, err := s.Admit(ctx, []domain.Message{textFrom(i, strconv.Itoa(i))})
				assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
			})
		}
		wg.Wait()
		stalled.Store(false)
		close(goOn)
		for i := range 3 {
			_, err := s.Admit(t.Context(), []domain.Message{textFrom(i, strconv.Itoa(i))})
			require.NoError(t, err)
		}
		b, err := s.Backlog(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, b.Messages)
	})
}

func TestSweep(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Path: filepath.Join(t.TempDir(), "bot.db"), Clock: func() time.Time { return now }})
	counts := func() map[string]int {
		out := map[string]int{}
		for _, table := range []string{"ids", "turns", "facts", "sends", "dead_letters", "dead_messages", "inbox"} {
			n, err := s.Count(`SELECT count(*) FROM ` + table)
			require.NoError(t, err)
			out[table] = n
		}
		return out
	}
	const many = sqlitestore.SweepPiece + 20 // more than one piece
	var batch []domain.Message
	for i := range many {
		batch = append(batch, textFrom(i, strconv.Itoa(i)))
	}
	_, err := s.Admit(t.Context(), batch)
	require.NoError(t, err)
	for i := range many {
		w, err := s.Lease(t.Context())
		require.NoError(t, err)
		turn, err := domain.NewTurn(domain.TurnID("t"+strconv.Itoa(i)), w.Lease.Conversation, w.Pending, now)
		require.NoError(t, err)
		switch i {
		case 0: // stays open
			require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
			continue
		case 1:
			require.NoError(t, turn.Die("test"))
		default:
			require.NoError(t, turn.Answer(domain.Reply{Text: "a"}))
			require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "a"}}))
			require.NoError(t, turn.Intend(0, now))
			require.NoError(t, turn.Accepted(0, domain.MessageID("sent"+strconv.Itoa(i))))
		}
		require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
	}
	_, err = s.Observe(t.Context(), []domain.Status{{Message: "sent5", State: domain.DeliveryRead}})
	require.NoError(t, err)

	before := counts()
	now = now.Add(ports.DedupTTL - 1)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, before, counts(), "nothing has expired")
	now = now.Add(1)
	require.NoError(t, s.Sweep(t.Context()))
	after := counts()
	assert.Zero(t, after["ids"])
	assert.Equal(t, many, after["turns"], "statuses may still come")
	now = now.Add(24 * time.Hour)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, map[string]int{"ids": 0, "turns": 2, "facts": 0, "sends": 0, "dead_letters": 1, "dead_messages": 1, "inbox": 1},
		counts(), "the open turn and the dead letter stay")
	now = now.Add(ports.DefaultDeadLetters)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, map[string]int{"ids": 0, "turns": 1, "facts": 0, "sends": 0, "dead_letters": 0, "dead_messages": 0, "inbox": 1},
		counts(), "what is not finished stays for ever")
}

func TestSweeperRunsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{OnSweepError: func(err error) { t.Error(err) }})
		_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
		require.NoError(t, err)
		time.Sleep(ports.DedupTTL + time.Hour)
		n, err := s.Count(`SELECT count(*) FROM ids`)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// After an I/O error the writer works on a new connection.
func TestWriterReplacesItsConnection(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	conv := domain.ConversationID("")
	for i := range 3 {
		out, err := s.Admit(t.Context(), []domain.Message{textFrom(1, strconv.Itoa(i))})
		require.NoError(t, err)
		assert.True(t, conv == "" || conv == out[0].Conversation)
		conv = out[0].Conversation
		require.NoError(t, s.Exec(`CREATE TEMP TABLE of_this_connection (a)`), "round %d: it is a new connection", i)
		require.NoError(t, s.Reconnect())
	}
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	assert.Len(t, w.Pending, 3)
}

// A record nobody can read must not keep workers busy, nor other conversations
// from being answered.
func TestUnreadableRecordWaitsForItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
		require.NoError(t, err)
		require.NoError(t, s.Exec(`UPDATE inbox SET data = '{"v":2}'`))
		_, err = s.Lease(t.Context())
		require.ErrorIs(t, err, record.ErrNewer)
		_, err = s.Admit(t.Context(), []domain.Message{textFrom(2, "2")})
		require.NoError(t, err)
		w, err := s.Lease(t.Context())
		require.NoError(t, err)
		assert.Equal(t, domain.MessageID("wamid.2"), w.Pending[0].ID)
		start := time.Now()
		_, err = s.Lease(t.Context())
		require.ErrorIs(t, err, record.ErrNewer)
		assert.GreaterOrEqual(t, time.Since(start), sqlitestore.DefaultLeaseTTL-time.Second)
	})
}

func TestErrorsHoldNoPersonalData(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	require.NoError(t, s.Exec(failingWrites))
	m := textFrom(1, "1")
	_, err := s.Admit(t.Context(), []domain.Message{m})
	require.Error(t, err)
	for _, secret := range []string{string(m.From.Phone), string(m.From.UserID), m.Content.(domain.Text).Body} {
		assert.False(t, strings.Contains(err.Error(), secret))
	}
}
