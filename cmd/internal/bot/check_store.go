package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/ports"
)

// storeAndWebhook opens the store, tries it, and gives it to the webhook that is tried
// in this process.
func (c *checker) storeAndWebhook(ctx context.Context) []finding {
	var open store
	f := finding{Check: "store"}
	if c.faulty("STORE", "STORE_PATH", "REDIS_URL", "REDIS_ACK", "REDIS_PARTITIONS", "REDIS_PASSWORD", "REDIS_PASSWORD_FILE") {
		f.skip("not tried: its settings are wrong", "correct the settings above first")
	} else {
		f.Subject = c.cfg.storeKind()
		f = c.timed(ctx, f, func(ctx context.Context, f *finding) { open = c.tryStore(ctx, f) })
	}
	found := []finding{f, c.ownWebhook(ctx, open)}
	if open != nil {
		if err := open.Close(); err != nil && found[0].Result == resultOK {
			found[0].fail(err.Error(), storeToDo(c.cfg.storeKind(), err))
		}
	}
	return found
}

// tryStore writes, reads, and finds out what a 200 promises. The store is nil when it
// cannot be opened. No message is stored: a bot that runs on the same Redis would
// answer it.
func (c *checker) tryStore(ctx context.Context, f *finding) store {
	s, err := openStore(ctx, c.cfg, zap.NewNop())
	switch {
	case inUse(err):
		f.skip("a running bot has the file open, so it could not be tried", "stop the bot and check again, or ask the bot itself: GET /ready at ADMIN_ADDR")
		return nil
	case err != nil:
		f.fail(err.Error(), storeToDo(c.cfg.storeKind(), err))
		return nil
	}
	if err := errors.Join(writeAndRead(ctx, s), s.Ping(ctx)); err != nil {
		f.fail(err.Error(), storeToDo(c.cfg.storeKind(), err))
		return s
	}
	r, ok := s.(*redisstore.Store)
	if !ok {
		f.ok("written, flushed to the disk and read; a 200 means that the message is on this machine's disk")
		return s
	}
	d := r.Durability()
	warnings := d.Warnings
	d.Warnings = nil
	f.ok("written and read; " + d.String())
	if len(warnings) > 0 {
		f.warn(f.Detail, strings.Join(warnings, "; "))
	}
	return s
}

// writeAndRead puts a bucket on hold and asks for it, so that what was written comes
// back; it has a name of its own and is gone in a moment. Redis keeps buckets with
// everything else. The embedded store keeps them in memory, and Ping is what writes to
// its file. Then it reads where dead letters are, in either.
func writeAndRead(ctx context.Context, s store) error {
	bucket := ports.Bucket{Key: "check " + rand.Text(), Capacity: 1, Every: time.Second}
	const hold = 5 * time.Second
	if err := s.Hold(ctx, bucket, hold); err != nil {
		return err
	}
	switch wait, err := s.Take(ctx, bucket); {
	case err != nil:
		return err
	case wait <= 0 || wait > hold:
		return errors.New("what was written did not come back")
	}
	_, err := s.DeadLetters(ctx, 1)
	return err
}

// inUse recognises that another process holds the embedded store. Its text is all
// there is to go by.
func inUse(err error) bool {
	return err != nil && strings.Contains(err.Error(), "another process has it open")
}

func storeToDo(kind string, err error) string {
	if kind != storeRedis {
		return "see to STORE_PATH: its folder must be writable for this user and on a local disk with room"
	}
	switch ports.KindOf(err) {
	case ports.KindDenied:
		return "correct user and password in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD"
	case ports.KindInvalid:
		return "correct REDIS_URL, REDIS_PREFIX or REDIS_PARTITIONS"
	case ports.KindUnsupported:
		return "turn the server's append-only file on, or choose another REDIS_ACK"
	}
	return fmt.Sprintf("see that the server of REDIS_URL runs and can be reached from this machine; redis:// is without TLS, rediss:// with it%s", ackHint(err))
}

// ackHint belongs to a write that nobody confirmed.
func ackHint(err error) string {
	if strings.Contains(err.Error(), "not confirmed") {
		return "; REDIS_ACK asks for a confirmation that did not come within REDIS_ACK_TIMEOUT"
	}
	return ""
}
