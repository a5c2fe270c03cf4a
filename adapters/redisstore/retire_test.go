package redisstore_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
	"whatsappnode/test/redisserver"
)

// A sweep lists conversations that nothing is left of, and then forgets them one by one,
// their names first. Between the two lie milliseconds in which the person may write again,
// so these tests take the sweep apart and let them write there.

// away is longer than these stores keep a person, and than ids are known.
const away = 9 * 24 * time.Hour

// leaver wrote with both names, was answered, and has been away for so long that a sweep
// has found the conversation.
func leaver(t *testing.T, s *site, partitions int, phone domain.Phone) (*redisstore.Store, domain.ConversationID) {
	t.Helper()
	s.last = "t" + strconv.FormatInt(prefixes.Add(1), 10)
	opt := s.options()
	opt.Partitions, opt.Retention = partitions, porttest.TestedRetention
	o := open(t, opt)
	conv := admit(t, o, withPhone(text(1, "first"), phone))[0].Conversation
	answered(t, o, "wamid.first")
	s.advance(t, away)
	idle, err := o.Idle(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{string(conv)}, idle)
	return o, conv
}

// answered answers the one message that waits.
func answered(t *testing.T, s *redisstore.Store, id domain.MessageID) {
	t.Helper()
	w, ok := lease(t, s, 10*time.Second)
	require.True(t, ok, "what came is handed out")
	require.Len(t, w.Pending, 1)
	require.Equal(t, id, w.Pending[0].ID)
	finish(t, s, w)
}

func TestPersonWhoComesBackDuringASweepIsKnown(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	site := &site{url: server.URL(), masters: []*redisserver.Server{server}}
	const phone = domain.Phone("34600111222")
	// What tells of the person is marked under the name the message came by, as long as that
	// lies in the conversation's partition, else under the conversation itself. So either a
	// name that is still to go is found to be in use, after another one went perhaps, or the
	// conversation is in the end.
	for name, back := range map[string]domain.Message{
		"under both names": withPhone(text(1, "back"), phone),
		"by phone alone":   byPhone(phone, "back"),
		"by user id alone": text(1, "back"),
	} {
		for _, c := range []struct {
			partitions int
			before     bool
		}{{1, false}, {1, true}, {16, false}, {16, true}} {
			t.Run(fmt.Sprintf("%s, in %d partitions, answered before: %t", name, c.partitions, c.before), func(t *testing.T) {
				s, conv := leaver(t, site, c.partitions, phone)
				require.Equal(t, ports.Admission{Message: back.ID, Conversation: conv, New: true}, admit(t, s, back)[0])
				if c.before {
					answered(t, s, back.ID)
				}
				require.NoError(t, s.Retire(t.Context(), string(conv)))

				require.Equal(t, ports.Admission{Message: back.ID, Conversation: conv}, admit(t, s, back)[0], "a redelivery is not answered again")
				if !c.before {
					answered(t, s, back.ID)
				}
				for _, m := range []domain.Message{byPhone(phone, "b"), text(1, "c"), withPhone(text(1, "d"), phone)} {
					require.Equal(t, ports.Admission{Message: m.ID, Conversation: conv, New: true}, admit(t, s, m)[0], "each name leads where it led")
				}
			})
		}
	}
}

// TestNumberThatSomebodyTookOverDuringASweepIsTheirs: the name the sweep is about to remove
// leads to another by then.
func TestNumberThatSomebodyTookOverDuringASweepIsTheirs(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	site := &site{url: server.URL(), masters: []*redisserver.Server{server}}
	const phone = domain.Phone("34600111222")
	s, conv := leaver(t, site, 16, phone)
	taker := withPhone(text(2, "mine"), phone)
	theirs := admit(t, s, taker)[0].Conversation
	require.NotEqual(t, conv, theirs)
	require.NoError(t, s.Retire(t.Context(), string(conv)))

	require.Equal(t, ports.Admission{Message: "wamid.more", Conversation: theirs, New: true}, admit(t, s, byPhone(phone, "more"))[0])
	require.False(t, admit(t, s, taker)[0].New)
	back := admit(t, s, text(1, "late"))[0]
	require.True(t, back.New)
	require.NotContains(t, []domain.ConversationID{conv, theirs}, back.Conversation, "who left is gone")
}
