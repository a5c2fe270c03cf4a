package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func text(id, body string) domain.Message {
	return domain.Message{
		ID: domain.MessageID(id), Number: "106", From: domain.Contact{UserID: "ES.1", Phone: "34600111222"},
		SentAt: noon, Content: domain.Text{Body: body},
	}
}

func newTurn(t *testing.T) domain.Turn {
	t.Helper()
	turn, err := domain.NewTurn("t1", "c1", []domain.Message{text("wamid.1", "hi")}, noon)
	require.NoError(t, err)
	return turn
}

// spoken returns a turn whose parts are planned: one voice note.
func spoken(t *testing.T) domain.Turn {
	t.Helper()
	turn := newTurn(t)
	require.NoError(t, turn.Answer(domain.Reply{Text: "Hello."}))
	require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartVoice, Text: "Hello.", Media: "m1"}}))
	return turn
}

// sent returns a turn whose voice note Meta accepted as wamid.OUT1.
func sent(t *testing.T) domain.Turn {
	t.Helper()
	turn := spoken(t)
	require.NoError(t, turn.Intend(0, noon))
	require.NoError(t, turn.Accepted(0, "wamid.OUT1"))
	return turn
}

func status(turn domain.Turn, state domain.DeliveryState) domain.Status {
	return domain.Status{Message: "wamid.OUT1", State: state, At: noon, Ref: turn.Ref(0), HasRef: true}
}

func failed(turn domain.Turn, class domain.FailureClass) domain.Status {
	s := status(turn, domain.DeliveryFailed)
	s.Failure = &domain.Failure{Code: 131053, Class: class}
	return s
}

func TestTurnFollowsItsNormalCourse(t *testing.T) {
	turn := newTurn(t)
	require.Equal(t, domain.TurnReceived, turn.State())
	require.NoError(t, turn.Hear("wamid.1", domain.Transcript{Text: "hi"}))
	require.NoError(t, turn.Transcribed())
	require.NoError(t, turn.Answer(domain.Reply{Text: "Hello."}))
	require.Equal(t, -1, turn.Next())
	require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "a"}, {Kind: domain.PartText, Text: "b"}}))
	require.Equal(t, domain.TurnSpoken, turn.State())
	require.Equal(t, 0, turn.Next())
	require.NoError(t, turn.Intend(0, noon))
	require.NoError(t, turn.Accepted(0, "o1"))
	require.Equal(t, domain.TurnSending, turn.State())
	require.Equal(t, 1, turn.Next(), "parts resume from the first that was not sent")
	require.NoError(t, turn.Intend(1, noon))
	require.NoError(t, turn.Accepted(1, "o2"))
	require.Equal(t, domain.TurnSent, turn.State())
	require.True(t, turn.State().Settled())
}

func TestTurnRefusesMovesOutOfOrder(t *testing.T) {
	moves := map[string]func(t *domain.Turn) error{
		"hear after transcribed":    func(t *domain.Turn) error { _ = t.Transcribed(); return t.Hear("wamid.1", domain.Transcript{}) },
		"hear a foreign message":    func(t *domain.Turn) error { return t.Hear("wamid.9", domain.Transcript{}) },
		"plan before the answer":    func(t *domain.Turn) error { return t.Plan([]domain.Part{{Kind: domain.PartText, Text: "x"}}) },
		"intend before the plan":    func(t *domain.Turn) error { return t.Intend(0, noon) },
		"accept what was not tried": func(t *domain.Turn) error { return t.Accepted(0, "o") },
		"answer twice": func(t *domain.Turn) error {
			_ = t.Answer(domain.Reply{Text: "a"})
			return t.Answer(domain.Reply{Text: "b"})
		},
		"apologize twice":            func(t *domain.Turn) error { _ = t.Apologize("a"); return t.Apologize("a") },
		"give up what is not open":   func(t *domain.Turn) error { return t.GiveUp(0) },
		"end what has ended":         func(t *domain.Turn) error { _ = t.Drop("x"); return t.Die("y") },
		"take more in after the end": func(t *domain.Turn) error { _ = t.Drop("x"); return t.Absorb([]domain.Message{text("wamid.2", "x")}) },
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			turn := newTurn(t)
			require.ErrorIs(t, move(&turn), domain.ErrTurnMove)
		})
	}
}

func TestTurnTakesNewMessagesInUntilSomethingWasSent(t *testing.T) {
	turn := spoken(t)
	require.NoError(t, turn.Absorb([]domain.Message{text("wamid.1", "hi"), text("wamid.2", "and?")}))
	require.Equal(t, []domain.MessageID{"wamid.1", "wamid.2"}, turn.Inputs())
	require.Equal(t, domain.TurnReceived, turn.State(), "the stale answer is dropped")
	require.Empty(t, turn.Reply().Text)
	require.Empty(t, turn.Parts())

	turn = spoken(t)
	require.NoError(t, turn.Absorb([]domain.Message{text("wamid.1", "hi")}))
	require.Equal(t, domain.TurnSpoken, turn.State(), "nothing new leaves the answer as it is")

	turn = sent(t)
	require.ErrorIs(t, turn.Absorb([]domain.Message{text("wamid.2", "x")}), domain.ErrTurnMove)

	other := text("wamid.3", "x")
	other.Number = "107"
	turn = newTurn(t)
	require.Error(t, turn.Absorb([]domain.Message{other}), "two business numbers are two conversations")
}

func TestTurnIsOnlyEverIntendedOnce(t *testing.T) {
	turn := spoken(t)
	require.NoError(t, turn.Intend(0, noon))
	require.ErrorIs(t, turn.Intend(0, noon), domain.ErrTurnMove, "an open intent must be settled first")
	require.NoError(t, turn.Unsettled(0, noon))
	require.ErrorIs(t, turn.Intend(0, noon), domain.ErrTurnMove, "an unknown outcome too")
	require.NoError(t, turn.Replan(0))
	require.NoError(t, turn.Intend(0, noon))
	require.Equal(t, 2, turn.Parts()[0].Attempt)
	require.Equal(t, "v1/c1/t1/0/2", turn.Ref(0).String())
}

func TestStatusesInAnyOrderNeverMoveATurnBack(t *testing.T) {
	all := []domain.DeliveryState{domain.DeliverySent, domain.DeliveryDelivered, domain.DeliveryRead, domain.DeliveryPlayed}
	permute(all, func(order []domain.DeliveryState) {
		turn := sent(t)
		best := 0
		rank := map[domain.TurnState]int{domain.TurnSent: 1, domain.TurnDelivered: 2, domain.TurnRead: 3, domain.TurnPlayed: 4}
		for _, s := range append(order, order...) {
			turn.Observe(status(turn, s))
			require.GreaterOrEqual(t, rank[turn.State()], best, "order %v", order)
			best = rank[turn.State()]
		}
		require.Equal(t, domain.TurnPlayed, turn.State())
	})
}

func permute(s []domain.DeliveryState, visit func([]domain.DeliveryState)) {
	var walk func(i int)
	walk = func(i int) {
		if i == len(s) {
			visit(append([]domain.DeliveryState(nil), s...))
			return
		}
		for j := i; j < len(s); j++ {
			s[i], s[j] = s[j], s[i]
			walk(i + 1)
			s[i], s[j] = s[j], s[i]
		}
	}
	walk(0)
}

func TestUnknownOutcomeIsSettledByItsStatus(t *testing.T) {
	turn := spoken(t)
	require.NoError(t, turn.Intend(0, noon))
	require.NoError(t, turn.Unsettled(0, noon))
	require.True(t, turn.Observe(status(turn, domain.DeliverySent)))
	require.Equal(t, domain.TurnSent, turn.State())
	require.Equal(t, domain.MessageID("wamid.OUT1"), turn.Parts()[0].MessageID)
	require.Equal(t, -1, turn.Next(), "there is nothing to send again")
}

func TestGivingUpAnUnknownOutcome(t *testing.T) {
	turn := spoken(t)
	require.NoError(t, turn.Intend(0, noon))
	require.NoError(t, turn.Unsettled(0, noon))
	require.NoError(t, turn.GiveUp(0))
	require.Equal(t, domain.TurnFailed, turn.State())
	require.Equal(t, "unsettled", turn.Reason())

	require.True(t, turn.Observe(status(turn, domain.DeliveryRead)), "it arrived after all")
	require.Equal(t, domain.TurnRead, turn.State())
}

func TestVoiceNoteThatFailsLateIsAnsweredWithTextExactlyOnce(t *testing.T) {
	turn := sent(t)
	require.True(t, turn.Observe(failed(turn, domain.FailMedia)))
	require.False(t, turn.Observe(failed(turn, domain.FailMedia)), "the same fact again")
	require.Equal(t, domain.TurnSending, turn.State())
	require.Equal(t, 1, turn.Next())
	require.Len(t, turn.Parts(), 2)
	require.Equal(t, "Hello.", turn.Parts()[1].Text)
	require.NoError(t, turn.Intend(1, noon))
	require.NoError(t, turn.Accepted(1, "wamid.OUT2"))
	require.Equal(t, domain.TurnSent, turn.State())
	require.False(t, turn.Observe(failed(turn, domain.FailMedia)))
	require.Len(t, turn.Parts(), 2)
}

func TestLateFailures(t *testing.T) {
	t.Run("after delivery they count for nothing", func(t *testing.T) {
		turn := sent(t)
		require.True(t, turn.Observe(status(turn, domain.DeliveryDelivered)))
		require.False(t, turn.Observe(failed(turn, domain.FailMedia)))
		require.Equal(t, domain.TurnDelivered, turn.State())
	})
	t.Run("of the recipient they end the turn", func(t *testing.T) {
		turn := sent(t)
		require.True(t, turn.Observe(failed(turn, domain.FailRecipient)))
		require.Equal(t, domain.TurnFailed, turn.State())
		require.Equal(t, "recipient", turn.Reason())
	})
	t.Run("that may pass are tried again, a few times", func(t *testing.T) {
		turn := sent(t)
		for attempt := 2; attempt <= domain.MaxPartAttempts; attempt++ {
			f := failed(turn, domain.FailTransient)
			require.True(t, turn.Observe(f))
			require.False(t, turn.Observe(f), "the same fact again")
			require.NoError(t, turn.Intend(0, noon))
			require.False(t, turn.Observe(f), "a fact about an earlier attempt")
			require.NoError(t, turn.Accepted(0, "wamid.OUT1"))
			require.Equal(t, attempt, turn.Parts()[0].Attempt)
		}
		require.True(t, turn.Observe(failed(turn, domain.FailTransient)))
		require.Equal(t, domain.TurnFailed, turn.State())
	})
	t.Run("of a voice note whose words follow anyway need no second text", func(t *testing.T) {
		turn := newTurn(t)
		require.NoError(t, turn.Answer(domain.Reply{Text: "Hello."}))
		require.NoError(t, turn.Plan([]domain.Part{
			{Kind: domain.PartVoice, Text: "Hello.", Media: "m1"}, {Kind: domain.PartText, Text: "Hello."},
		}))
		require.NoError(t, turn.Intend(0, noon))
		require.NoError(t, turn.Refused(0, domain.Failure{Class: domain.FailMedia}))
		require.Len(t, turn.Parts(), 2)
		require.Equal(t, 1, turn.Next())
	})
	t.Run("of another turn are not ours", func(t *testing.T) {
		turn := sent(t)
		s := failed(turn, domain.FailMedia)
		s.Ref.Turn, s.Message = "t2", "wamid.OTHER"
		require.False(t, turn.Observe(s))
	})
}

func TestApologyReplacesAnAnswerOnlyBeforeSending(t *testing.T) {
	turn := spoken(t)
	require.NoError(t, turn.Apologize("Sorry"))
	require.True(t, turn.Apology())
	require.Equal(t, "Sorry", turn.Reply().Text)
	require.Empty(t, turn.Parts())

	turn = sent(t)
	require.ErrorIs(t, turn.Apologize("Sorry"), domain.ErrTurnMove)
}

func TestTurnCopiesAreIndependent(t *testing.T) {
	turn := newTurn(t)
	require.NoError(t, turn.Hear("wamid.1", domain.Transcript{Text: "a"}))
	copied, err := domain.RestoreTurn(turn.Record())
	require.NoError(t, err)
	require.NoError(t, turn.Hear("wamid.1", domain.Transcript{Text: "b"}))
	got, _ := copied.Transcript("wamid.1")
	require.Equal(t, "a", got.Text)

	_, err = domain.RestoreTurn(domain.TurnRecord{ID: "t", Conversation: "c", Inputs: []domain.MessageID{"m"}, State: "nonsense"})
	require.Error(t, err)
}
