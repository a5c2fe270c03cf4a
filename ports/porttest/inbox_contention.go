package porttest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// inboxOneLease lets many workers work on few conversations, with messages coming
// in meanwhile, and demands that no two hold the same conversation, that every
// message is answered once, and that each conversation is answered in order.
func inboxOneLease(c *storeCase) {
	const workers, people, each = 8, 3, 12
	var (
		mu       sync.Mutex
		failed   errorList
		holder   = map[domain.ConversationID]bool{}
		answered = map[domain.ConversationID][]domain.MessageID{}
		left     = people * each
	)
	ctx, cancel := context.WithTimeout(c.ctx, c.units(30))
	defer cancel()
	take := func(conv domain.ConversationID, held bool) {
		mu.Lock()
		defer mu.Unlock()
		if held && holder[conv] {
			failed.add(fmt.Errorf("two workers hold conversation %s", conv))
		}
		holder[conv] = held
	}
	work := func(worker int) {
		for turn := 0; ; turn++ {
			w, err := c.s.Lease(ctx)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					failed.add(fmt.Errorf("lease: %w", err))
				}
				return
			}
			if len(w.Pending) == 0 {
				failed.add(errors.New("a conversation was due without a message"))
				cancel()
				return
			}
			take(w.Lease.Conversation, true)
			t, err := domain.NewTurn(domain.TurnID(fmt.Sprintf("t%d-%d", worker, turn)), w.Lease.Conversation, w.Pending[:1], storeTime)
			if err == nil {
				err = errors.Join(c.s.Checkpoint(ctx, w.Lease, t), t.Drop("test"))
			}
			mu.Lock()
			answered[w.Lease.Conversation] = append(answered[w.Lease.Conversation], w.Pending[0].ID)
			mu.Unlock()
			take(w.Lease.Conversation, false)
			if err = errors.Join(err, c.s.Finish(ctx, w.Lease, t, w.Conversation)); err != nil {
				failed.add(err)
				cancel()
				return
			}
			mu.Lock()
			if left--; left == 0 {
				cancel()
			}
			mu.Unlock()
		}
	}
	admitted := make([][]domain.MessageID, people)
	atOnce(workers+people, func(i int) {
		if i >= people {
			work(i)
			return
		}
		for n := range each {
			m := textOf(i, fmt.Sprintf("%d.%d", i, n))
			_, err := c.s.Admit(c.ctx, []domain.Message{m})
			failed.add(err)
			admitted[i] = append(admitted[i], m.ID)
		}
	})
	require.NoError(c, failed.err())
	for i := range people {
		a := c.admit(textOf(i, fmt.Sprintf("%d.0", i)))[0]
		require.Equal(c, admitted[i], answered[a.Conversation], "each message is answered once, in order")
	}
}
