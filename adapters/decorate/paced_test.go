package decorate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func textTo(person int) domain.Outbound {
	return domain.Outbound{
		Number: "106500000000001", To: domain.Contact{UserID: domain.UserID(fmt.Sprintf("ES.%d", person)), Phone: "34600111222"},
		Content: domain.OutboundText{Body: "hello"},
	}
}

// replica is one process: its messenger and the network it shares with the others.
type replica struct {
	ports.MessengerPort
	network *fake.Messenger
}

func replicas(n int, limits decorate.Limits) []replica {
	network, pacer := fake.NewMessenger(0), fake.NewStore(fake.StoreOptions{})
	var out []replica
	for range n {
		out = append(out, replica{decorate.Paced(network, pacer, limits), network})
	}
	return out
}

// limited demands a refusal of the pacer and returns its wait.
func limited(t *testing.T, err error, scope ports.Scope) time.Duration {
	t.Helper()
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, ports.KindRateLimited, e.Kind)
	require.Equal(t, scope, e.Scope)
	require.False(t, ports.MaybeDone(err))
	require.Positive(t, e.RetryAfter)
	return e.RetryAfter
}

func TestRecipientGetsABurstAndThenOneInSixSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(2, decorate.Limits{})
		for i := range decorate.DefaultRecipientBurst {
			_, err := r[i%2].Send(t.Context(), textTo(1))
			require.NoError(t, err, "message %d", i)
		}
		for i := range 4 {
			began := time.Now()
			_, err := r[i%2].Send(t.Context(), textTo(1))
			wait := limited(t, err, ports.ScopeRecipient)
			assert.LessOrEqual(t, wait, decorate.DefaultRecipientEvery)
			assert.Zero(t, time.Since(began), "a long wait is not waited for")
			_, err = r[i%2].Send(t.Context(), textTo(2))
			require.NoError(t, err, "another person is not held")
			time.Sleep(wait)
			_, err = r[i%2].Send(t.Context(), textTo(1))
			require.NoError(t, err, "after the wait")
		}
		assert.Equal(t, decorate.DefaultRecipientBurst+8, r[0].network.Attempts(), "a refused send does not reach the network")
	})
}

func TestNumberSendsEightyASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(2, decorate.Limits{})
		var wg sync.WaitGroup
		for i := range 240 {
			wg.Go(func() {
				_, err := r[i%2].Send(t.Context(), textTo(i))
				if err != nil {
					limited(t, err, ports.ScopeNumber)
				}
			})
		}
		wg.Wait()
		sends := r[0].network.Sends()
		assert.InDelta(t, 160, len(sends), 1, "80 at once, 80 within the second that is waited")
		inFirst := 0
		for _, s := range sends {
			if s.At.Equal(sends[0].At) {
				inFirst++
			}
		}
		assert.Equal(t, 80, inFirst)
		_, err := r[0].Send(t.Context(), domain.Outbound{Number: "other", To: domain.Contact{UserID: "u"}, Content: domain.OutboundText{Body: "x"}})
		require.NoError(t, err, "another number is not slowed")
	})
}

func TestShortWaitIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(1, decorate.Limits{RecipientBurst: 1, RecipientEvery: 700 * time.Millisecond})[0]
		_, err := r.Send(t.Context(), textTo(1))
		require.NoError(t, err)
		began := time.Now()
		_, err = r.Send(t.Context(), textTo(1))
		require.NoError(t, err)
		assert.Equal(t, 700*time.Millisecond, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began = time.Now()
		_, err = r.Send(ctx, textTo(1))
		assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
		assert.False(t, ports.MaybeDone(err), "nothing was sent")
		assert.Equal(t, 300*time.Millisecond, time.Since(began))
		assert.Equal(t, 2, r.network.Attempts())
	})
}

func TestBothWaitsTogetherAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(1, decorate.Limits{NumberRate: 1, RecipientBurst: 1, RecipientEvery: 1500 * time.Millisecond})[0]
		_, err := r.Send(t.Context(), textTo(1))
		require.NoError(t, err)
		began := time.Now()
		_, err = r.Send(t.Context(), textTo(1))
		assert.Equal(t, 500*time.Millisecond, limited(t, err, ports.ScopeRecipient))
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// failing is the error with which the network refuses.
func failing(scope ports.Scope, after time.Duration) error {
	return &ports.Error{Op: "fake.send", Kind: ports.KindRateLimited, Code: "1", Scope: scope, RetryAfter: after, Err: errors.New("refused")}
}

func TestNetworksWordIsHeededByAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(2, decorate.Limits{})
		r[0].network.FailSends(failing(ports.ScopeRecipient, 30*time.Second))
		_, err := r[0].Send(t.Context(), textTo(1))
		assert.Equal(t, 30*time.Second, limited(t, err, ports.ScopeRecipient))
		time.Sleep(10 * time.Second)
		_, err = r[1].Send(t.Context(), textTo(1))
		assert.Equal(t, 20*time.Second, limited(t, err, ports.ScopeRecipient))
		_, err = r[1].Send(t.Context(), textTo(2))
		require.NoError(t, err, "only this recipient is held")
		time.Sleep(20 * time.Second)
		_, err = r[1].Send(t.Context(), textTo(1))
		require.NoError(t, err)

		r[1].network.FailSends(failing(ports.ScopeNumber, 5*time.Second))
		_, err = r[1].Send(t.Context(), textTo(3))
		require.Error(t, err)
		_, err = r[0].Send(t.Context(), textTo(4))
		assert.Equal(t, 5*time.Second, limited(t, err, ports.ScopeNumber))
	})
}

func TestRefusalsInARowWaitLonger(t *testing.T) {
	for scope, want := range map[ports.Scope][]time.Duration{
		ports.ScopeRecipient: {1, 4, 16, 64, 64},
		ports.ScopeNumber:    {1, 2, 4, 8, 16, 32, 64, 64},
	} {
		t.Run(string(scope), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// A hold leaves an empty bucket behind; here it fills quickly.
				r := replicas(2, decorate.Limits{RecipientEvery: 10 * time.Millisecond})
				refused := func() time.Duration {
					r[0].network.FailSends(failing(scope, 0))
					_, err := r[0].Send(t.Context(), textTo(1))
					return limited(t, err, scope)
				}
				for i, seconds := range want {
					wait := refused()
					assert.Equal(t, seconds*time.Second, wait, "refusal %d", i+1)
					if wait > time.Second {
						_, err := r[1].Send(t.Context(), textTo(1))
						assert.Equal(t, wait, limited(t, err, scope), "the other replica is told the same")
					}
					time.Sleep(wait)
				}
				_, err := r[0].Send(t.Context(), textTo(1))
				require.NoError(t, err)
				assert.Equal(t, time.Second, refused(), "a message that goes through ends the row")
				time.Sleep(11 * time.Minute)
				assert.Equal(t, time.Second, refused(), "so does time")
			})
		})
	}
}

func TestOtherFailuresHoldNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(1, decorate.Limits{})[0]
		for _, want := range []error{
			failing(ports.ScopeAccount, time.Minute),
			&ports.Error{Op: "fake.send", Kind: ports.KindTransient, Scope: ports.ScopeNumber, RetryAfter: time.Minute},
			&ports.Error{Op: "fake.send", Kind: ports.KindDenied, Scope: ports.ScopeRecipient},
			errors.New("foreign"),
		} {
			r.network.FailSends(want)
			_, err := r.Send(t.Context(), textTo(1))
			require.Equal(t, want, err, "it is passed on as it is")
			_, err = r.Send(t.Context(), textTo(1))
			require.NoError(t, err)
		}
	})
}

// brokenPacer fails, or hangs until its context ends.
type brokenPacer struct{ hang bool }

var errBroken = errors.New("no pacer")

func (p brokenPacer) Take(ctx context.Context, _ ports.Bucket) (time.Duration, error) {
	if p.hang {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return time.Hour, errBroken
}

func (p brokenPacer) Hold(ctx context.Context, b ports.Bucket, _ time.Duration) error {
	_, err := p.Take(ctx, b)
	return err
}

func TestPacerThatFailsBlocksNoSend(t *testing.T) {
	for name, hang := range map[string]bool{"fails": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := fake.NewMessenger(0)
				var told []error
				var steps []decorate.PacingStep
				m := decorate.Paced(network, brokenPacer{hang}, decorate.Limits{OnError: func(ctx context.Context, at decorate.PacingStep, err error) {
					assert.Equal(t, domain.TurnID("t1"), ports.SubjectOf(ctx).Turn, "whom it concerns is known")
					told, steps = append(told, err), append(steps, at)
				}})
				about := ports.WithSubject(t.Context(), &ports.Subject{Turn: "t1"})
				began := time.Now()
				_, err := m.Send(about, textTo(1))
				require.NoError(t, err)
				assert.LessOrEqual(t, time.Since(began), 2*time.Second)
				assert.Len(t, told, 2, "each bucket's failure is reported")
				network.FailSends(failing(ports.ScopeRecipient, time.Minute))
				_, err = m.Send(about, textTo(1))
				assert.Equal(t, time.Minute, limited(t, err, ports.ScopeRecipient))
				assert.Len(t, told, 5, "and the hold's")
				assert.Equal(t, []decorate.PacingStep{decorate.PacingTake, decorate.PacingTake, decorate.PacingTake, decorate.PacingTake, decorate.PacingHold}, steps)
				_, err = m.Send(about, textTo(1))
				require.NoError(t, err)

				ctx, cancel := context.WithCancel(about)
				cancel()
				before := len(told)
				_, err = m.Send(ctx, textTo(1))
				require.ErrorIs(t, err, context.Canceled)
				assert.Len(t, told, before, "a caller that gave up is no failure of the pacer")
			})
		})
	}
}

func TestInvalidMessageTakesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := replicas(1, decorate.Limits{RecipientBurst: 1, RecipientEvery: time.Hour})[0]
		bad := textTo(1)
		bad.Content = domain.OutboundText{}
		_, err := r.Send(t.Context(), bad)
		require.Equal(t, ports.KindInvalid, ports.KindOf(err))
		_, err = r.Send(t.Context(), textTo(1))
		require.NoError(t, err)
	})
}

// spy notes the keys it is asked for.
type spy struct {
	ports.PacerPort
	keys []string
}

func (s *spy) Take(_ context.Context, b ports.Bucket) (time.Duration, error) {
	s.keys = append(s.keys, b.Key)
	return 0, nil
}

func TestKeysHoldNoPersonalData(t *testing.T) {
	keys := func(secret string, out domain.Outbound) []string {
		s := &spy{}
		_, err := decorate.Paced(fake.NewMessenger(0), s, decorate.Limits{Secret: []byte(secret)}).Send(t.Context(), out)
		require.NoError(t, err)
		require.Len(t, s.keys, 2)
		return s.keys
	}
	one := keys("k", textTo(1))
	for _, k := range one {
		assert.Len(t, k, 32)
		for _, personal := range []string{"ES.1", "34600111222", "106500000000001"} {
			assert.False(t, strings.Contains(k, personal))
		}
	}
	assert.Equal(t, one, keys("k", textTo(1)), "every process asks for the same")
	assert.Equal(t, one[0], keys("k", textTo(2))[0], "one bucket for the number, and it is asked first")
	assert.NotEqual(t, one[1], keys("k", textTo(2))[1])
	assert.NotEqual(t, one[1], keys("other", textTo(1))[1], "the secret matters")
	moved := textTo(1)
	moved.To.Phone = "34600999888"
	assert.Equal(t, one, keys("k", moved), "a changed phone number is the same person")
	byPhone := textTo(1)
	byPhone.To.UserID = ""
	assert.NotEqual(t, one[1], keys("k", byPhone)[1])
	other := textTo(1)
	other.Number = "2"
	assert.NotEqual(t, one[1], keys("k", other)[1], "each business number has a limit of its own for a person")
}

// The four kinds of messenger.
type (
	plain   struct{ ports.MessengerPort }
	marking struct {
		ports.MessengerPort
		ports.ReadMarker
	}
	uploading struct {
		ports.MessengerPort
		ports.MediaUploader
	}
)

func TestAbilitiesAreThoseOfTheWrapped(t *testing.T) {
	m := fake.NewMessenger(0)
	for name, tc := range map[string]struct {
		wrapped        ports.MessengerPort
		marks, uploads bool
	}{
		"neither":      {plain{m}, false, false},
		"read marker":  {marking{m, m}, true, false},
		"uploader":     {uploading{m, m}, false, true},
		"both of them": {m, true, true},
	} {
		p := decorate.Paced(tc.wrapped, fake.NewStore(fake.StoreOptions{}), decorate.Limits{})
		_, marks := p.(ports.ReadMarker)
		_, uploads := p.(ports.MediaUploader)
		assert.Equal(t, tc.marks, marks, name)
		assert.Equal(t, tc.uploads, uploads, name)
		_, err := p.Send(t.Context(), textTo(1))
		require.NoError(t, err, name)
	}
	p := decorate.Paced(m, brokenPacer{}, decorate.Limits{}).(ports.ReadMarker)
	require.NoError(t, p.MarkRead(t.Context(), "1", "wamid.1", true))
	assert.Len(t, m.Reads(), 1, "it reaches the network, unpaced")
}
