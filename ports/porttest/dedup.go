package porttest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestDedup checks what ports.DedupPort promises.
func TestDedup(t *testing.T, h DedupHarness) {
	h.run(t, map[string]func(*storeCase){
		"SecondDeliveryIsDuplicate":          dedupSecond,
		"SameIDTwiceInOneBatchIsNewOnce":     dedupTwiceInBatch,
		"BatchIsAnsweredInItsOrder":          dedupOrder,
		"EmptyBatchIsNoError":                dedupEmpty,
		"InvalidMessageFailsWholeBatch":      dedupInvalid,
		"IDIsForgottenAfterEightDays":        dedupForgotten,
		"DuplicateDoesNotExtendTheTime":      dedupNotExtended,
		"ConcurrentAdmitIsNewOnce":           dedupConcurrent,
		"FailedAdmitCanBeRepeated":           dedupRepeat,
		"EndedContextAdmitsNothingHalf":      dedupCanceled,
		"AdmittedIDsSurviveReopen":           dedupReopen,
		"ConversationIDIsOpaque":             dedupOpaque,
		"TwoNumbersAreTwoConversations":      aliasNumbers,
		"TwoPeopleAreTwoConversations":       aliasPeople,
		"UserIDAndPhoneLeadToOne":            aliasBoth,
		"LaterPhoneIsLinked":                 aliasLaterPhone,
		"LaterUserIDIsLinked":                aliasLaterUser,
		"UserIDDecidesOverPhone":             aliasUserFirst,
		"StrangerOnAnOldNumberStartsAnew":    aliasStranger,
		"ChangedNumberMoves":                 aliasChangedNumber,
		"ChangedNumberTakesOverAnOlderAlias": aliasChangedTaken,
		"ChangedUserIDMoves":                 aliasChangedUser,
		"DuplicateMovesNoAlias":              aliasDuplicate,
	})
}

func dedupSecond(c *storeCase) {
	first := c.admit(textOfA("1"))[0]
	assert.True(c, first.New)
	again := c.admit(textOfA("1"))[0]
	assert.False(c, again.New)
	assert.Equal(c, first.Conversation, again.Conversation)
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func dedupTwiceInBatch(c *storeCase) {
	out := c.admit(textOfA("1"), textOfA("2"), textOfA("1"))
	assert.Equal(c, []bool{true, true, false}, []bool{out[0].New, out[1].New, out[2].New})
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(c.lease().Pending))
}

func dedupOrder(c *storeCase) {
	c.admit(textOf(2, "2"), textOf(4, "4"))
	out := c.admit(textOf(1, "1"), textOf(2, "2"), textOf(3, "3"), textOf(4, "4"))
	assert.Equal(c, []bool{true, false, true, false}, []bool{out[0].New, out[1].New, out[2].New, out[3].New})
}

func dedupEmpty(c *storeCase) {
	out, err := c.s.Admit(c.ctx, nil)
	require.NoError(c, err)
	assert.Empty(c, out)
}

func dedupInvalid(c *storeCase) {
	for name, spoil := range map[string]func(*domain.Message){
		"no id":         func(m *domain.Message) { m.ID = "" },
		"no number":     func(m *domain.Message) { m.Number = "" },
		"no content":    func(m *domain.Message) { m.Content = nil },
		"no identity":   func(m *domain.Message) { m.From = domain.Contact{Name: "Ana"} },
		"negative hold": func(m *domain.Message) { m.Hold = -1 },
	} {
		bad := textOfA("bad")
		spoil(&bad)
		_, err := c.s.Admit(c.ctx, []domain.Message{textOfA("good"), bad, textOfA("good too")})
		require.Error(c, err, name)
		assert.Equal(c, ports.KindInvalid, ports.KindOf(err), name)
	}
	c.notDue("nothing of a failed batch may be stored")
	assert.True(c, c.admit(textOfA("good"))[0].New, "nothing of a failed batch may be remembered")
}

func dedupForgotten(c *storeCase) {
	c.admit(textOfA("1"))
	c.advance(ports.DedupTTL - time.Hour)
	assert.False(c, c.admit(textOfA("1"))[0].New, "an hour before eight days have passed")
	c.advance(time.Hour)
	assert.True(c, c.admit(textOfA("1"))[0].New, "after eight days")
}

func dedupNotExtended(c *storeCase) {
	c.admit(textOfA("1"))
	c.advance(ports.DedupTTL / 2)
	require.False(c, c.admit(textOfA("1"))[0].New)
	c.advance(ports.DedupTTL / 2)
	assert.True(c, c.admit(textOfA("1"))[0].New, "eight days after the first admission")
}

func dedupConcurrent(c *storeCase) {
	const callers, messages, rounds = 8, 5, 10
	for round := range rounds {
		batch := make([]domain.Message, messages)
		for i := range batch {
			batch[i] = textOfA(string(rune('a'+round)) + string(rune('a'+i)))
		}
		var mu sync.Mutex
		var failed errorList
		fresh := map[domain.MessageID]int{}
		atOnce(callers, func(int) {
			out, err := c.s.Admit(c.ctx, batch)
			failed.add(err)
			mu.Lock()
			defer mu.Unlock()
			for _, a := range out {
				if a.New {
					fresh[a.Message]++
				}
			}
		})
		require.NoError(c, failed.err())
		for _, m := range batch {
			require.Equal(c, 1, fresh[m.ID], "round %d: %s must be new exactly once", round, m.ID)
		}
	}
	pending := c.lease().Pending
	seen := map[domain.MessageID]bool{}
	for _, m := range pending {
		require.False(c, seen[m.ID], "%s waits twice", m.ID)
		seen[m.ID] = true
	}
	assert.Len(c, seen, messages*rounds)
}

func dedupRepeat(c *storeCase) {
	mend := c.breakStore()
	_, err := c.s.Admit(c.ctx, []domain.Message{textOfA("1")})
	mend()
	require.Error(c, err)
	assert.Equal(c, ports.KindTransient, ports.KindOf(err))
	// Whether it calls the repeat new or not, the message must be there now.
	c.admit(textOfA("1"))
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func dedupCanceled(c *storeCase) {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.s.Admit(ctx, []domain.Message{textOfA("1")})
	require.ErrorIs(c, err, context.Canceled)
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	c.admit(textOfA("1"))
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func dedupReopen(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	c.reopen()
	again := c.admit(textFrom("1", userA, phoneA), textFrom("2", "", phoneA), textFrom("3", userA, ""))
	assert.Equal(c, ports.Admission{Message: "wamid.1", Conversation: conv}, again[0])
	assert.Equal(c, ports.Admission{Message: "wamid.2", Conversation: conv, New: true}, again[1])
	assert.Equal(c, ports.Admission{Message: "wamid.3", Conversation: conv, New: true}, again[2])
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3"}, idsOf(c.lease().Pending))
}

func dedupOpaque(c *storeCase) {
	id := string(c.admitNew(textOfA("1")))
	assert.NotContains(c, id, "/", "it travels in a domain.PartRef")
	for _, personal := range []string{string(userA), strings.TrimPrefix(string(userA), "ES."), string(phoneA)} {
		assert.NotContains(c, id, personal)
	}
}

func aliasNumbers(c *storeCase) {
	other := textOfA("2")
	other.Number = "999"
	assert.NotEqual(c, c.admitNew(textOfA("1")), c.admitNew(other))
}

func aliasPeople(c *storeCase) {
	assert.NotEqual(c, c.admitNew(textFrom("1", userA, phoneA)), c.admitNew(textFrom("2", userB, phoneB)))
}

func aliasBoth(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	assert.Equal(c, conv, c.admitNew(textFrom("2", userA, "")), "known by user id")
	assert.Equal(c, conv, c.admitNew(textFrom("3", "", phoneA)), "known by phone")
}

func aliasLaterPhone(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, ""))
	assert.Equal(c, conv, c.admitNew(textFrom("2", userA, phoneA)))
	assert.Equal(c, conv, c.admitNew(textFrom("3", "", phoneA)))
}

func aliasLaterUser(c *storeCase) {
	conv := c.admitNew(textFrom("1", "", phoneA))
	assert.Equal(c, conv, c.admitNew(textFrom("2", userA, phoneA)))
	assert.Equal(c, conv, c.admitNew(textFrom("3", userA, "")))
	assert.Equal(c, conv, c.admitNew(textFrom("4", userA, phoneB)), "with a number never seen")
}

func aliasUserFirst(c *storeCase) {
	a := c.admitNew(textFrom("1", userA, phoneA))
	b := c.admitNew(textFrom("2", userB, ""))
	require.NotEqual(c, a, b)
	assert.Equal(c, b, c.admitNew(textFrom("3", userB, phoneA)), "the user id decides")
	assert.Equal(c, b, c.admitNew(textFrom("4", "", phoneA)), "the phone number went along")
	assert.Equal(c, a, c.admitNew(textFrom("5", userA, "")), "the other person keeps the conversation")
}

func aliasStranger(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	other := c.admitNew(textFrom("2", userB, phoneA))
	assert.NotEqual(c, conv, other, "the number was handed on without a word")
	assert.Equal(c, other, c.admitNew(textFrom("3", "", phoneA)), "the number is the newcomer's now")
	assert.Equal(c, conv, c.admitNew(textFrom("4", userA, "")))
}

func changeOf(m domain.Message, phone domain.Phone, user domain.UserID) domain.Message {
	event := "user_changed_number"
	if phone == "" {
		event = "user_changed_user_id"
	}
	m.Content = domain.System{Event: event, NewPhone: phone, NewUser: user}
	return m
}

func aliasChangedNumber(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	assert.Equal(c, conv, c.admitNew(changeOf(textFrom("2", userA, phoneA), phoneB, "")))
	assert.Equal(c, conv, c.admitNew(textFrom("3", "", phoneB)), "the new number leads to the conversation")
	assert.Equal(c, conv, c.admitNew(textFrom("4", userB, phoneB)), "and takes a new user id along")
	assert.Equal(c, conv, c.admitNew(textFrom("5", userB, "")))
	assert.NotEqual(c, conv, c.admitNew(textFrom("6", "", phoneA)), "the old number may be another person's now")
}

func aliasChangedTaken(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	early := c.admitNew(textFrom("2", "", phoneB)) // it overtook the news of the change
	require.NotEqual(c, conv, early)
	assert.Equal(c, conv, c.admitNew(changeOf(textFrom("3", userA, phoneA), phoneB, "")))
	assert.Equal(c, conv, c.admitNew(textFrom("4", "", phoneB)))
}

func aliasChangedUser(c *storeCase) {
	conv := c.admitNew(textFrom("1", userA, ""))
	assert.Equal(c, conv, c.admitNew(changeOf(textFrom("2", userA, ""), "", userB)))
	assert.Equal(c, conv, c.admitNew(textFrom("3", userB, "")))
}

func aliasDuplicate(c *storeCase) {
	old := textFrom("1", userA, phoneA)
	conv := c.admitNew(old)
	c.admitNew(changeOf(textFrom("2", userA, phoneA), phoneB, ""))
	require.False(c, c.admit(old)[0].New)
	assert.NotEqual(c, conv, c.admitNew(textFrom("3", "", phoneA)), "a late repeat must not bring the old number back")
}
