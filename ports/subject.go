package ports

import (
	"context"

	"whatsappnode/domain"
)

// Subject is the turn that a call is made for, and whom it is with. The application puts
// it into the context of the work on an answer, so that the log lines of what is called
// below can name the message and the person, by keyed hashes like all others.
type Subject struct {
	Turn         domain.TurnID
	Conversation domain.ConversationID
	User         domain.Contact
	Messages     []domain.MessageID // the user's messages; not to be changed
}

type subjectKey struct{}

// WithSubject returns a context that carries a subject to what is called with it.
func WithSubject(ctx context.Context, s *Subject) context.Context {
	return context.WithValue(ctx, subjectKey{}, s)
}

// SubjectOf returns the subject of a context, or an empty one.
func SubjectOf(ctx context.Context) Subject {
	if s, _ := ctx.Value(subjectKey{}).(*Subject); s != nil {
		return *s
	}
	return Subject{}
}
