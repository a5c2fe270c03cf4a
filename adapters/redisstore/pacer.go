package redisstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"whatsappnode/ports"
)

// Take implements ports.PacerPort, to the microsecond.
func (s *Store) Take(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	c, err := s.bucket("take", scTake, b)
	if err != nil {
		return 0, err
	}
	msg, err := s.run(ctx, "take", c)
	if err != nil {
		return 0, err
	}
	text, err := msg.ToString()
	if err != nil {
		return 0, storeErr(ctx, "take", err)
	}
	us, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(us) * time.Microsecond, storeErr(ctx, "take", err)
}

// Hold implements ports.PacerPort. When d has passed there is one token.
func (s *Store) Hold(ctx context.Context, b ports.Bucket, d time.Duration) error {
	c, err := s.bucket("hold", scHold, b)
	if err != nil || d <= 0 {
		return err
	}
	c.args, c.harmless = append(c.args, micros(d)), true
	_, err = s.run(ctx, "hold", c)
	return err
}

// bucket prepares a call. Buckets are not confirmed: one that a failover loses is
// full again.
func (s *Store) bucket(op string, sc *script, b ports.Bucket) (call, error) {
	if b.Key == "" || b.Capacity < 1 || b.Every <= 0 {
		return call{}, invalid(op, errors.New("a bucket needs a key, a capacity and a rate"))
	}
	hash := s.names.Of("bucket", b.Key)
	every := max(1, (b.Every + time.Microsecond - 1).Microseconds())
	return call{sc: sc, part: s.partition(hash), args: []string{hash, strconv.Itoa(b.Capacity), strconv.FormatInt(every, 10)}}, nil
}
