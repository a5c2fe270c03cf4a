package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/simulator"
)

const (
	questionMedia = "900000000000001" // what users say
	answerMedia   = "900000000000002" // what the bot says
	// postTimeout is longer than anything a webhook may take.
	postTimeout = 30 * time.Second
	// A webhook that the bot is too busy for is delivered again, as Meta does, though
	// sooner: the turn and the acknowledgement count from when it was due at first.
	deliverAgain = 50 * time.Millisecond
	deliveries   = 200
	phonePrefix  = "34600"
)

// crowd is the users: they ask, wait for the answer, and ask again if they are to.
type crowd struct {
	ctx    context.Context
	bot    *bot
	after  func(time.Duration, func()) // a timer that is exact
	aloud  bool
	think  time.Duration // before asking again, in the mean; below zero: they do not
	client *http.Client
	posts  sync.WaitGroup

	mu     sync.Mutex
	asking bool
	due    []time.Time // of each user's open question; zero: none is open
	from   time.Time   // questions due from here on count
	got    tally
}

// tally is what became of the questions that count.
type tally struct {
	took     []time.Duration // from due to answered
	acks     []time.Duration // from due to the webhook's 200
	late     []time.Duration // from due to the beginning of its webhook
	all      int             // answers, from the very beginning
	answers  int             // answers since from, whenever they were asked for
	text     int             // answers in writing
	surplus  int             // messages to somebody who had no open question
	refused  int             // deliveries of webhooks that had to be made again
	unposted int             // webhooks that got no 200 at all
	open     int             // questions that got no answer
}

func newCrowd(ctx context.Context, w *world, b *bot, users int, aloud bool, think time.Duration) *crowd {
	return &crowd{
		ctx: ctx, bot: b, after: w.server.After, aloud: aloud, think: think, asking: true, due: make([]time.Time, users),
		client: &http.Client{Timeout: postTimeout, Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024}},
	}
}

// ask posts a user's question, which was due at some moment, in the background.
func (c *crowd) ask(user int, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asking {
		return
	}
	if !c.due[user].IsZero() {
		c.got.open++ // the question before was not answered
	}
	c.due[user] = due
	c.posts.Go(func() {
		late := time.Since(due)
		refused, err := c.deliver(user)
		took := time.Since(due)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got.refused += refused
		switch {
		case err != nil:
			c.got.unposted++
		case c.counts(due):
			c.got.acks, c.got.late = append(c.got.acks, took), append(c.got.late, late)
		}
	})
}

// counts reports whether a question is measured. The caller holds the lock.
func (c *crowd) counts(due time.Time) bool { return !c.from.IsZero() && !due.Before(c.from) }

// delivered is told of a message to a user.
func (c *crowd) delivered(to, kind string, at time.Time) {
	user, err := strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(to, "+"), phonePrefix))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || user < 0 || user >= len(c.due) || c.due[user].IsZero() {
		c.got.surplus++
		return
	}
	due := c.due[user]
	c.due[user] = time.Time{}
	c.got.all++
	if !c.from.IsZero() && c.asking {
		c.got.answers++
	}
	if kind != "audio" {
		c.got.text++
	}
	if c.counts(due) {
		c.got.took = append(c.got.took, at.Sub(due))
	}
	if c.think < 0 || !c.asking {
		return
	}
	// A thought is 50 to 150 % of the mean, so that users do not march in step.
	thought := c.think/2 + time.Duration(rand.Int64N(int64(c.think)+1))
	c.after(thought-time.Since(at), func() { c.ask(user, at.Add(thought)) })
}

// begin starts to count.
func (c *crowd) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from = time.Now()
}

// hush ends the asking.
func (c *crowd) hush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = false
}

// waiting is how many have an open question.
func (c *crowd) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, due := range c.due {
		if !due.IsZero() {
			n++
		}
	}
	return n
}

// unposted is how many webhooks were given up.
func (c *crowd) unposted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.unposted
}

// end waits for the open questions, up to a limit, and returns what came of all.
func (c *crowd) end(limit time.Duration) (tally, error) {
	c.hush()
	for until := time.Now().Add(limit); c.waiting() > 0 && time.Now().Before(until); {
		if err := sleep(c.ctx, 10*time.Millisecond); err != nil {
			break
		}
	}
	c.posts.Wait()
	c.client.CloseIdleConnections()
	open := c.waiting()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got.open += open
	return c.got, c.ctx.Err()
}

// deliver posts a question until it is acknowledged, and tells how often it was not.
func (c *crowd) deliver(user int) (refused int, err error) {
	body := c.webhook(user)
	for refused = range deliveries {
		if err = c.post(body); err == nil {
			return refused, nil
		}
		if sleep(c.ctx, deliverAgain) != nil {
			break
		}
	}
	return refused, err
}

func (c *crowd) post(body []byte) error {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, "http://"+c.bot.addr+"/webhook", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", simulator.Sign(appSecret, body))
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the webhook got %d", resp.StatusCode)
	}
	return nil
}

// issued numbers the messages of a run, so that none is a duplicate.
var issued atomic.Int64

// webhook is one question in the shape Meta sends to a number whose users have user
// ids (Meta, "Messages webhooks reference").
func (c *crowd) webhook(user int) []byte {
	phone, id := fmt.Sprintf("%s%06d", phonePrefix, user), fmt.Sprintf("ES.9%012d", user)
	content := `"type":"text","text":{"body":"` + script.Question + `"}`
	if c.aloud {
		content = `"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","id":"` + questionMedia + `","voice":true}`
	}
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"109900112233445","changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},"contacts":[{"profile":{"name":"User"},"wa_id":"%s","user_id":"%s"}],`+
		`"messages":[{"from":"%s","from_user_id":"%s","id":"wamid.answer%d.%d","timestamp":"%d",%s}]},"field":"messages"}]}]}`,
		numberID, phone, id, phone, id, os.Getpid(), issued.Add(1), time.Now().Unix(), content)
}
