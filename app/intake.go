package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Intake is the fast half: it implements ports.IntakePort with one durable write
// for the messages and one for the statuses. It is safe for concurrent use.
type Intake struct {
	dedup         ports.DedupPort
	conversations ports.ConversationPort
	observer      ports.ObserverPort
	personas      *Personas
	books         *Books // nil: nobody keeps any
	// billed are the numbers of which Meta's fee for AI providers was told.
	billed sync.Map
}

var _ ports.IntakePort = (*Intake)(nil)

// NewIntake makes the fast half. Of the personas it needs how long each waits for
// more messages before it answers.
func NewIntake(dedup ports.DedupPort, conversations ports.ConversationPort, observer ports.ObserverPort, personas *Personas) *Intake {
	return &Intake{dedup: dedup, conversations: conversations, observer: observer, personas: personas}
}

// Keep makes the intake tell books what Meta says of prices, before it receives
// anything. It returns the intake.
func (in *Intake) Keep(books *Books) *Intake {
	in.books = books
	return in
}

// Receive implements ports.IntakePort. Statuses are stored first: a status can
// settle a send that a waiting turn depends on, and storing it twice is harmless
// when the messages beside it then fail.
func (in *Intake) Receive(ctx context.Context, env domain.Envelope) (ports.Receipt, error) {
	if err := in.observe(ctx, env.Statuses); err != nil {
		return ports.Receipt{}, err
	}
	messages, err := in.withoutOwn(ctx, env.Messages)
	if err != nil || len(messages) == 0 {
		return ports.Receipt{}, err
	}
	batch, now := make([]domain.Message, len(messages)), time.Now()
	for i, m := range messages {
		m.ReceivedAt = now
		if _, echo := m.Content.(domain.Echo); echo {
			m.Pause = in.pause(m)
		} else if persona := in.personas.at(m.Number); persona != nil && domain.StartsTurn(m.Content) {
			m.Hold = persona.Burst.hold(m.Content)
		}
		batch[i] = m
	}
	admitted, err := in.dedup.Admit(ctx, batch)
	if err != nil {
		return ports.Receipt{}, fmt.Errorf("admit %d messages: %w", len(batch), err)
	}
	now = time.Now()
	for i, a := range admitted {
		stage := ports.StageReceived
		if !a.New {
			stage = ports.StageDuplicate
		}
		in.observer.Observe(ports.Event{At: now, Stage: stage, Conversation: a.Conversation, User: batch[i].From, Messages: []domain.MessageID{a.Message}, Trace: batch[i].Trace})
	}
	return ports.Receipt{Messages: admitted}, nil
}

// deliveryStages maps what Meta says to the stage a timeline shows.
var deliveryStages = map[domain.DeliveryState]ports.Stage{
	domain.DeliveryDelivered: ports.StageDelivered,
	domain.DeliveryRead:      ports.StageRead,
	domain.DeliveryPlayed:    ports.StagePlayed,
	domain.DeliveryFailed:    ports.StageRefused,
}

func (in *Intake) observe(ctx context.Context, statuses []domain.Status) error {
	if len(statuses) == 0 {
		return nil
	}
	seen, err := in.conversations.Observe(ctx, statuses)
	if err != nil {
		return fmt.Errorf("record %d statuses: %w", len(statuses), err)
	}
	now := time.Now()
	for i, o := range seen {
		if o.Priced {
			in.books.message(statuses[i])
			in.fee(statuses[i], o)
		}
		stage, shown := deliveryStages[statuses[i].State]
		if !o.New || !shown || o.Turn == "" {
			continue
		}
		ev := ports.Event{
			At: now, Stage: stage, Turn: o.Turn, Conversation: o.Conversation, User: statuses[i].Recipient,
			Reply: statuses[i].Message, Trace: statuses[i].Ref.Trace,
		}
		if f := statuses[i].Failure; f != nil {
			ev.Late = true
			ev.Detail = fmt.Sprintf("late %d %s", f.Code, f.Class)
		}
		in.observer.Observe(ev)
	}
	return nil
}

// feeOfProviders is the category under which Meta charges those whose bots are assistants
// for general purposes, which its terms bar elsewhere (Meta, "AI providers"; "WhatsApp
// Business Solution Terms").
const feeOfProviders = "general_purpose_ai"

// fee tells, once for each number and process, that Meta takes the bot for something
// that its terms bar: it costs more, and the number is at risk.
func (in *Intake) fee(s domain.Status, o ports.Observation) {
	if s.Pricing == nil || s.Pricing.Category != feeOfProviders {
		return
	}
	if _, told := in.billed.LoadOrStore(s.Number, true); !told {
		in.observer.Observe(ports.Event{At: time.Now(), Stage: ports.StageProviderFee, Turn: o.Turn, Conversation: o.Conversation, User: s.Recipient, Detail: feeOfProviders})
	}
}

// withoutOwn leaves out the echoes of what this bot sent itself: they are no more than
// the news that it left, which a status of the send says as well.
func (in *Intake) withoutOwn(ctx context.Context, messages []domain.Message) ([]domain.Message, error) {
	var left []domain.Status
	for _, m := range messages {
		if _, echo := m.Content.(domain.Echo); echo {
			left = append(left, domain.Status{Message: m.ID, Number: m.Number, Recipient: m.From, State: domain.DeliverySent, At: m.SentAt})
		}
	}
	if len(left) == 0 {
		return messages, nil
	}
	seen, err := in.conversations.Observe(ctx, left)
	if err != nil {
		return nil, fmt.Errorf("look for %d echoes: %w", len(left), err)
	}
	own := map[domain.MessageID]bool{}
	for i, o := range seen {
		if o.Turn != "" {
			own[left[i].Message] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(messages), func(m domain.Message) bool { return own[m.ID] }), nil
}

// pause is how long the bot keeps silent for a message of the business. It is counted
// from when that was written: an echo that is delivered again days later pauses nothing.
func (in *Intake) pause(m domain.Message) time.Duration {
	persona := in.personas.at(m.Number)
	if persona == nil {
		return 0
	}
	return max(0, min(persona.PauseFor, persona.PauseFor-time.Since(m.SentAt)))
}
