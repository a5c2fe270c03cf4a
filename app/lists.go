package app

import (
	"context"

	"whatsappnode/domain"
)

// People are persons by user id or by phone number (digits with country code).
type People map[string]bool

// has reports whether a person is among them, by any name the person is known by.
func (p People) has(c domain.Contact) bool {
	return c.UserID != "" && p[string(c.UserID)] || c.Phone != "" && p[string(c.Phone)]
}

const reasonNotAllowed = "not_allowed"

// listed is the gate of those the operator does not want answered: blocked one by one,
// on the list of the blocked, or missing on a list of the allowed. They get no word of
// it: a bot that answers "you are blocked" still answers.
func listed(_ context.Context, s *session) (verdict, error) {
	who := s.conv.Contact()
	switch {
	case s.work.Controls.Blocked || s.persona.Blocked.has(who):
		return verdict{drop: reasonBlocked}, nil
	case len(s.persona.Allowed) > 0 && !s.persona.Allowed.has(who):
		return verdict{drop: reasonNotAllowed}, nil
	}
	return verdict{}, nil
}
