package record

import (
	"fmt"

	"whatsappnode/domain"
)

type transcript struct {
	Text       string  `json:"t,omitempty"`
	Language   string  `json:"l,omitempty"`
	Confidence float64 `json:"c,omitempty"`
}

type failure struct {
	Code  int                 `json:"c,omitempty"`
	Class domain.FailureClass `json:"k,omitempty"`
}

type part struct {
	Kind         domain.PartKind  `json:"k,omitempty"`
	Text         string           `json:"t,omitempty"`
	Aside        bool             `json:"as,omitempty"`
	Media        domain.MediaID   `json:"m,omitempty"`
	State        domain.PartState `json:"s,omitempty"`
	Attempt      int              `json:"a,omitempty"`
	IntendedAt   moment           `json:"i,omitzero"`
	UnknownSince moment           `json:"us,omitzero"`
	Waits        int              `json:"w,omitempty"`
	MessageID    domain.MessageID `json:"id,omitempty"`
	Failure      *failure         `json:"f,omitempty"`
	Pricing      *pricing         `json:"pr,omitempty"`
}

type handoff struct {
	State   domain.HandoffState `json:"s"`
	Tries   int                 `json:"n,omitempty"`
	NextTry moment              `json:"t,omitzero"`
}

type turn struct {
	V            int                             `json:"v"`
	ID           domain.TurnID                   `json:"id"`
	Conversation domain.ConversationID           `json:"cv"`
	Number       domain.NumberID                 `json:"nr"`
	To           contact                         `json:"to"`
	State        domain.TurnState                `json:"s"`
	Reason       string                          `json:"r,omitempty"`
	Inputs       []domain.MessageID              `json:"in"`
	StartedAt    moment                          `json:"t,omitzero"`
	Attempt      int                             `json:"a,omitempty"`
	Transcripts  map[domain.MessageID]transcript `json:"ts,omitempty"`
	Reply        string                          `json:"re,omitempty"`
	Language     string                          `json:"l,omitempty"`
	Apology      bool                            `json:"ap,omitempty"`
	Recovered    bool                            `json:"rc,omitempty"`
	Parts        []part                          `json:"p,omitempty"`
	Trace        string                          `json:"tr,omitempty"`
	Expenses     []expense                       `json:"x,omitempty"`
	Handoff      *handoff                        `json:"ho,omitempty"`
}

// EncodeTurn writes a turn.
func EncodeTurn(t domain.Turn) ([]byte, error) {
	r := t.Record()
	out := turn{
		V: Version, ID: r.ID, Conversation: r.Conversation, Number: r.Number, To: contact(r.To), State: r.State,
		Reason: r.Reason, Inputs: r.Inputs, StartedAt: stamp(r.StartedAt), Attempt: r.Attempt,
		Reply: r.Reply.Text, Language: r.Reply.Language, Apology: r.Apology, Recovered: r.Recovered, Trace: r.Trace,
	}
	if len(r.Transcripts) > 0 {
		out.Transcripts = make(map[domain.MessageID]transcript, len(r.Transcripts))
		for id, tr := range r.Transcripts {
			out.Transcripts[id] = transcript(tr)
		}
	}
	for _, p := range r.Parts {
		out.Parts = append(out.Parts, part{
			Kind: p.Kind, Text: p.Text, Aside: p.Aside, Media: p.Media, State: p.State, Attempt: p.Attempt,
			IntendedAt: stamp(p.IntendedAt), UnknownSince: stamp(p.UnknownSince), Waits: p.Waits, MessageID: p.MessageID,
			Failure: (*failure)(p.Failure), Pricing: (*pricing)(p.Pricing),
		})
	}
	for _, e := range r.Expenses {
		out.Expenses = append(out.Expenses, expenseOf(e))
	}
	if h := r.Handoff; h.State != "" {
		out.Handoff = &handoff{State: h.State, Tries: h.Tries, NextTry: stamp(h.NextTry)}
	}
	return marshal("turn", out)
}

// DecodeTurn reads what EncodeTurn wrote and checks it as domain.RestoreTurn does.
func DecodeTurn(data []byte) (domain.Turn, error) {
	var in turn
	if err := open("turn", data, &in); err != nil {
		return domain.Turn{}, err
	}
	r := domain.TurnRecord{
		ID: in.ID, Conversation: in.Conversation, Number: in.Number, To: domain.Contact(in.To), State: in.State,
		Reason: in.Reason, Inputs: in.Inputs, StartedAt: in.StartedAt.Time, Attempt: in.Attempt,
		Reply: domain.Reply{Text: in.Reply, Language: in.Language}, Apology: in.Apology, Recovered: in.Recovered,
		Trace: in.Trace,
	}
	if len(in.Transcripts) > 0 {
		r.Transcripts = make(map[domain.MessageID]domain.Transcript, len(in.Transcripts))
		for id, tr := range in.Transcripts {
			r.Transcripts[id] = domain.Transcript(tr)
		}
	}
	for _, p := range in.Parts {
		r.Parts = append(r.Parts, domain.Part{
			Kind: p.Kind, Text: p.Text, Aside: p.Aside, Media: p.Media, State: p.State, Attempt: p.Attempt,
			IntendedAt: p.IntendedAt.Time, UnknownSince: p.UnknownSince.Time, Waits: p.Waits, MessageID: p.MessageID,
			Failure: (*domain.Failure)(p.Failure), Pricing: (*domain.Pricing)(p.Pricing),
		})
	}
	for _, e := range in.Expenses {
		r.Expenses = append(r.Expenses, e.restore())
	}
	if h := in.Handoff; h != nil {
		r.Handoff = domain.Handoff{State: h.State, Tries: h.Tries, NextTry: h.NextTry.Time}
	}
	t, err := domain.RestoreTurn(r)
	if err != nil {
		return domain.Turn{}, fmt.Errorf("decode turn: %w", ErrMalformed)
	}
	return t, nil
}
