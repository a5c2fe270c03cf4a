package redisstore

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/domain"
)

const (
	relistenFirst = 20 * time.Millisecond
	relistenLast  = 2 * time.Second
)

// listen keeps a subscription to the channel of wake-ups on a connection of its own.
func (d *dispatcher) listen() {
	pause := relistenFirst
	for d.ctx.Err() == nil {
		began := time.Now()
		_ = safely(func() error { d.subscription(); return nil }) // what was missed is looked up
		d.hearing(false)
		if time.Since(began) > relistenLast {
			pause = relistenFirst
		}
		if !sleep(d.ctx, pause/2+rand.N(pause)) { // #nosec G404 -- it spreads wake-ups, it keeps no secret
			return
		}
		pause = min(2*pause, relistenLast)
	}
}

// subscription lasts until the connection breaks or the store is closed.
func (d *dispatcher) subscription() {
	conn, release := d.s.client.Dedicate()
	defer release()
	ended := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage:      func(m rueidis.PubSubMessage) { d.hear(m.Message) },
		OnSubscription: func(sub rueidis.PubSubSubscription) { d.hearing(sub.Kind == "subscribe") },
	})
	ctx, cancel := context.WithTimeout(d.ctx, callBudget)
	err := conn.Do(ctx, conn.B().Subscribe().Channel(d.s.channel).Build()).Error()
	cancel()
	if err != nil {
		return
	}
	select {
	case <-d.ctx.Done():
		conn.Close()
	case <-ended:
	}
}

// hearing notes whether the channel is heard. Whenever it begins to be, everything
// is looked at once for what was said before.
func (d *dispatcher) hearing(now bool) {
	d.mu.Lock()
	if now || d.heard {
		d.nextAll = time.Time{}
	}
	d.heard = now
	d.mu.Unlock()
	if now {
		d.s.news.TellAll() // the same for what came to leased conversations
	}
	d.nudge()
}

// hear reads "partition:store:report", or "partition:store:news:conversation" for a
// message to a leased conversation. Whatever else is said is of later releases.
func (d *dispatcher) hear(text string) {
	f := strings.Split(text, ":")
	if len(f) < 3 || f[1] == d.s.instance {
		return // our own calls were answered with the same
	}
	if len(f) == 4 && f[2] == "news" {
		d.s.news.Tell(domain.ConversationID(f[3]))
		return
	}
	if len(f) != 3 {
		return
	}
	part, err := strconv.Atoi(f[0])
	if err != nil || part < 0 || part >= len(d.parts) {
		return
	}
	d.note(part, f[2], true)
}

// jitter is how long to hesitate before claiming what another process announced.
// It grows while claims come too late and shrinks while they succeed, so that one
// process alone does not hesitate, and of many only a few try for each message.
type jitter struct {
	mu   sync.Mutex
	most time.Duration
}

const (
	jitterStep = 200 * time.Microsecond
	jitterMost = 1500 * time.Microsecond
)

func (j *jitter) result(won bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if won {
		j.most = j.most * 9 / 10
	} else {
		j.most = min(jitterMost, j.most*3/2+jitterStep)
	}
}

func (j *jitter) next() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.most < jitterStep/2 {
		return 0
	}
	return rand.N(j.most) // #nosec G404 -- it spreads wake-ups, it keeps no secret
}
