package sqlitestore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
)

// killEnv holds the store's path and the round's number in the child process.
const killEnv = "SQLITESTORE_KILL"

// TestKill starts a child that admits and finishes from several goroutines and
// prints each id only after the store confirmed it, kills it with SIGKILL at a
// random moment, opens the file again and demands all that was printed.
func TestKill(t *testing.T) {
	if v := os.Getenv(killEnv); v != "" {
		path, round, _ := strings.Cut(v, "|")
		killChild(t, path, round)
		return
	}
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("KILL_SEED"); v != "" {
		var err error
		seed, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("KILL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	path := filepath.Join(t.TempDir(), "bot.db")
	var admitted, finished []string
	for round := range 6 {
		moment := time.Duration(random.IntN(250)) * time.Millisecond
		a, f := killRound(t, path, round, moment)
		admitted, finished = append(admitted, a...), append(finished, f...)

		s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
		require.NoError(t, err, "round %d", round)
		known := column(t, s, `SELECT id FROM ids`)
		waiting := column(t, s, `SELECT id FROM inbox`)
		turns := column(t, s, `SELECT id FROM turns WHERE open = 0`)
		done := map[string]bool{}
		for _, id := range finished {
			done[id] = true
			assert.True(t, turns["turn of "+id], "round %d: the finished turn of %s is lost", round, id)
			assert.False(t, waiting[id], "round %d: %s waits again after it was finished", round, id)
		}
		for _, id := range admitted {
			require.True(t, known[id], "round %d: the id %s is lost", round, id)
			// Consumed only by a finished turn, printed or not.
			require.True(t, waiting[id] || turns["turn of "+id], "round %d: the message %s is lost", round, id)
		}
		for id := range known {
			require.True(t, waiting[id] || turns["turn of "+id], "round %d: %s is known and not stored", round, id)
		}
		require.NoError(t, s.Close())
	}
	t.Logf("%d messages acknowledged, %d turns finished", len(admitted), len(finished))
	assert.NotEmpty(t, admitted)
	assert.NotEmpty(t, finished)
}

// killRound runs one child, kills it a moment after it began to work, and returns
// what it printed.
func killRound(t *testing.T, path string, round int, moment time.Duration) (admitted, finished []string) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKill$", "-test.count=1")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", killEnv, path, round))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	var kill sync.Once
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // a last line without its end was cut by the kill
			assert.ErrorIs(t, err, io.EOF)
			break
		}
		kill.Do(func() { time.AfterFunc(moment, func() { _ = cmd.Process.Kill() }) })
		switch kind, id, _ := strings.Cut(strings.TrimSpace(line), " "); kind {
		case "admitted":
			admitted = append(admitted, id)
		case "finished":
			finished = append(finished, id)
		default:
			t.Log(line)
		}
	}
	err = cmd.Wait()
	require.Error(t, err)
	require.Equal(t, "signal: killed", err.Error(), "the child must end by the kill")
	return admitted, finished
}

// killChild works until it is killed.
func killChild(t *testing.T, path, round string) {
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: path})
	require.NoError(t, err)
	var mu sync.Mutex
	say := func(what string, id domain.MessageID) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, id)
	}
	var wg sync.WaitGroup
	for caller := range 6 {
		wg.Go(func() {
			for i := 0; ; i++ {
				m := textFrom(caller*1000+i%50, round+"."+strconv.Itoa(caller)+"."+strconv.Itoa(i))
				if _, err := s.Admit(t.Context(), []domain.Message{m}); err != nil {
					panic(err)
				}
				say("admitted", m.ID)
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for {
				if err := killFinish(t.Context(), s, say); err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
}

// killFinish answers one message with a turn that is named after it.
func killFinish(ctx context.Context, s *sqlitestore.Store, say func(string, domain.MessageID)) error {
	w, err := s.Lease(ctx)
	if err != nil {
		return err
	}
	id := w.Pending[0].ID
	turn, err := domain.NewTurn(domain.TurnID("turn of "+id), w.Lease.Conversation, w.Pending[:1], time.Now())
	if err != nil {
		return err
	}
	if err := s.Checkpoint(ctx, w.Lease, turn); err != nil {
		return err
	}
	if err := turn.Drop("test"); err != nil {
		return err
	}
	if err := s.Finish(ctx, w.Lease, turn, w.Conversation); err != nil {
		return err
	}
	say("finished", id)
	return nil
}

func column(t *testing.T, s *sqlitestore.Store, query string) map[string]bool {
	list, err := s.Column(query)
	require.NoError(t, err)
	out := make(map[string]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}
