package redisstore

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// readControls reads what the scripts tell of a conversation's controls.
func readControls(words string) (domain.Controls, error) {
	if words == "" {
		return domain.Controls{}, nil
	}
	f := strings.Split(words, "|")
	if len(f) != 4 {
		return domain.Controls{}, errors.New("unexpected answer")
	}
	left, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return domain.Controls{}, errors.New("unexpected answer")
	}
	return domain.Controls{
		Paused: time.Duration(left) * time.Microsecond, PausedBy: domain.PausedBy(f[1]), OptedOut: f[2] == "1", Blocked: f[3] == "1",
	}, nil
}

// Controls implements ports.ControlPort. It is read as by one that may write, so that the
// primary answers.
func (s *Store) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	part, ok := s.home(string(id))
	if !ok {
		return domain.Controls{}, noConversation("controls")
	}
	msg, err := s.run(ctx, "controls", call{sc: scControls, part: part, args: []string{string(id)}, harmless: true})
	if err != nil {
		return domain.Controls{}, err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 2 {
		return domain.Controls{}, storeErr(ctx, "controls", errors.Join(err, errors.New("unexpected answer")))
	}
	if out[0] != "ok" {
		return domain.Controls{}, noConversation("controls")
	}
	c, err := readControls(out[1])
	return c, storeErr(ctx, "controls", err)
}

func noConversation(op string) error { return notFound(op, "there is no such conversation") }

// changeArgs are the script's arguments for a change: the length of a pause, and fields
// with their values; an empty value removes one.
func changeArgs(change domain.ControlChange) []string {
	switch change.Kind {
	case domain.ControlPause:
		return []string{micros(change.For), "pb", string(change.By)}
	case domain.ControlResume:
		return []string{"", "pu", "", "pb", ""}
	case domain.ControlOptOut:
		return []string{"", "oo", "1"}
	case domain.ControlOptIn:
		return []string{"", "oo", ""}
	case domain.ControlBlock:
		return []string{"", "bl", "1"}
	}
	return []string{"", "bl", ""} // Validate leaves no other
}

// Control implements ports.ControlPort.
func (s *Store) Control(ctx context.Context, id domain.ConversationID, change domain.ControlChange) error {
	if err := change.Validate(); err != nil {
		return invalid("control", err)
	}
	part, ok := s.home(string(id))
	if !ok {
		return noConversation("control")
	}
	args := append([]string{string(id), ""}, changeArgs(change)...)
	msg, err := s.run(ctx, "control", call{sc: scControl, part: part, args: args, durable: true, harmless: true})
	if err != nil {
		return err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 2 {
		return storeErr(ctx, "control", errors.Join(err, errors.New("unexpected answer")))
	}
	if out[0] != "ok" {
		return noConversation("control")
	}
	s.dispatch.learn(part, out[1])
	s.news.Tell(id)
	return nil
}

// ControlHeld implements ports.ControlPort.
func (s *Store) ControlHeld(ctx context.Context, lease ports.Lease, change domain.ControlChange) error {
	if err := change.Validate(); err != nil {
		return invalid("control", err)
	}
	return s.underLease(ctx, "control", lease, call{sc: scControl, args: changeArgs(change), durable: true, harmless: true})
}
