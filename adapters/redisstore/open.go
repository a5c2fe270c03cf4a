package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/news"
	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// Open connects, tries again until ctx ends while the server cannot be reached or
// is loading, writes down or checks the number of partitions, and finds out what
// durability is in force. Refused credentials, a wrong topology, another number of
// partitions and a promise of durability that the server cannot keep are errors at
// once. It starts no goroutine.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if err := opt.complete(); err != nil {
		return nil, invalid("open", err)
	}
	s := &Store{
		opt: opt, channel: opt.Prefix + ":wake", instance: rand.Text()[:12],
		closing: make(chan struct{}), bases: make([]string, opt.Partitions),
	}
	for part := range s.bases {
		s.bases[part] = "{" + opt.Prefix + ":p" + strconv.Itoa(part) + "}"
	}
	s.dispatch, s.news = newDispatcher(s), news.New(time.Now)
	var err error
	if s.sealer, err = record.NewSealer(opt.Keys); err != nil {
		return nil, invalid("open", err)
	}
	client, err := connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	s.client = client
	if err := s.settle(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// settle checks everything that cannot be changed later, and waits while the server
// loads its data or has no master.
func (s *Store) settle(ctx context.Context) error {
	for {
		err := s.agree(ctx)
		if err == nil {
			return s.probe(ctx)
		}
		if ports.KindOf(err) != ports.KindTransient || !sleep(ctx, connectLast) {
			return err
		}
	}
}

const (
	connectFirst = 50 * time.Millisecond
	connectLast  = time.Second
)

// connect builds the client, which dials at once.
func connect(ctx context.Context, opt Options) (rueidis.Client, error) {
	co, want, err := clientOption(opt)
	if err != nil {
		return nil, invalid("open", err)
	}
	pause := connectFirst
	for {
		var client rueidis.Client
		err := safely(func() (err error) { client, err = rueidis.NewClient(co); return err })
		if err == nil {
			if want == clusterTopology && client.Mode() != rueidis.ClientModeCluster {
				client.Close()
				return nil, invalid("open", errors.New("the server is not part of a cluster"))
			}
			if want != clusterTopology && client.Mode() == rueidis.ClientModeStandalone && len(co.InitAddress) > 1 {
				client.Close()
				return nil, invalid("open", errors.New("several addresses need a cluster or sentinels"))
			}
			return client, nil
		}
		if denied(err) {
			return nil, &ports.Error{Op: opName("open"), Kind: ports.KindDenied, Code: codeOf(err), Err: errors.New("redis refused user or password")}
		}
		if !sleep(ctx, pause) {
			if code := codeOf(err); code != "" {
				err = fmt.Errorf("redis answered %s", code)
			}
			return nil, &ports.Error{Op: opName("open"), Kind: ports.KindTransient, Err: fmt.Errorf("no connection: %w", err)}
		}
		pause = min(2*pause, connectLast)
	}
}

// denied reports whether the server refused who we are. The client may wrap the
// answer, so the text decides.
func denied(err error) bool {
	for _, code := range []string{"WRONGPASS", "NOAUTH", "NOPERM"} {
		if strings.Contains(err.Error(), code) {
			return true
		}
	}
	return false
}

// agree writes the number of partitions down, or compares it with what is written, and
// finds out whether the data is sealed.
func (s *Store) agree(ctx context.Context) error {
	var fresh []byte
	if s.sealer != nil {
		_, fresh = s.sealer.NewNames()
	}
	kept, keyed, err := s.agreed(ctx, fresh, nil)
	if err != nil || len(kept) == 0 {
		return err
	}
	if s.sealer == nil {
		return invalid("open", errNoKey)
	}
	names, err := s.sealer.OpenNames(kept)
	if err != nil {
		return invalid("open", errWrongKey)
	}
	if keyed {
		s.names = names
	}
	anew, changed, err := s.sealer.Reseal(kept, record.KindNames, "")
	if err != nil || !changed {
		return err
	}
	_, _, err = s.agreed(ctx, anew, kept)
	return err
}

// The reasons for which sealed data is refused.
var (
	errNoKey    = errors.New("the data is sealed, and no key is given: give the key with which it was sealed (STORE_KEY or STORE_KEYS); without it nobody can read the data")
	errWrongKey = errors.New("the data is sealed, and none of the keys given opens it: give the key with which it was sealed (STORE_KEY or STORE_KEYS); without it nobody can read the data")
)

func (s *Store) agreed(ctx context.Context, names, instead []byte) (kept []byte, keyed bool, err error) {
	want := strconv.Itoa(s.opt.Partitions)
	msg, err := s.do(ctx, "open", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Eval().Script(scAgree).Numkeys(2).Key(s.meta("partitions"), s.meta("sealing")).
			Arg(want, string(names), string(instead)).Build()
	})
	if err != nil {
		return nil, false, err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 3 {
		return nil, false, storeErr(ctx, "open", errors.Join(err, errors.New("unexpected answer")))
	}
	if out[0] != want {
		return nil, false, invalid("open", fmt.Errorf("the data under prefix %q has %s partitions and this process is configured for %s: the number cannot be changed; use the first one, or another prefix", s.opt.Prefix, out[0], want))
	}
	return []byte(out[1]), out[2] == "1", nil
}
