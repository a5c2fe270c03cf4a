package operate

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// manyLetters bounds how far DeadLettersShow looks for one letter.
const manyLetters = 10_000

// DeadLettersList writes the newest dead letters first.
func DeadLettersList(ctx context.Context, port ports.DeadLetterPort, out io.Writer, opt Options) error {
	letters, err := port.DeadLetters(ctx, opt.limit())
	if err != nil {
		return fmt.Errorf("list dead letters: %w", err)
	}
	views := make([]letterView, 0, len(letters))
	for _, l := range letters {
		views = append(views, opt.letter(l))
	}
	if opt.JSON {
		return document(out, views)
	}
	if len(views) == 0 {
		return say(out, "There are no dead letters.")
	}
	t := newTable(out, "TURN", "CONVERSATION", "DIED", "REASON", "ATTEMPTS", "MESSAGES", "TO")
	for _, v := range views {
		t.row(v.Turn, v.Conversation, stamp(v.Died), v.Reason, strconv.Itoa(v.Attempt), strconv.Itoa(len(v.Messages)), v.To.String())
	}
	return t.end()
}

// DeadLettersShow writes one dead letter with its messages and parts.
func DeadLettersShow(ctx context.Context, port ports.DeadLetterPort, out io.Writer, turn domain.TurnID, opt Options) error {
	letters, err := port.DeadLetters(ctx, manyLetters)
	if err != nil {
		return fmt.Errorf("look for the dead letter: %w", err)
	}
	for _, l := range letters {
		if l.Turn.ID() != turn {
			continue
		}
		v := opt.letter(l)
		if opt.JSON {
			return document(out, v)
		}
		return writeLetter(out, v)
	}
	return fmt.Errorf("show %s: %w", turn, errNoLetter)
}

var errNoLetter = &ports.Error{Op: "dead letters", Kind: ports.KindNotFound}

func writeLetter(out io.Writer, v letterView) error {
	t := newTable(out, "Turn", v.Turn)
	t.row("Conversation", v.Conversation)
	t.row("Number", v.Number)
	t.row("To", v.To.String())
	t.row("Started", stamp(v.StartedAt))
	t.row("Died", stamp(v.Died))
	t.row("Reason", v.Reason)
	t.row("Attempts", strconv.Itoa(v.Attempt))
	for _, heard := range v.Heard {
		t.row("Heard", visible(heard))
	}
	if v.Reply != "" {
		t.row("Reply", visible(v.Reply))
	}
	if err := t.end(); err != nil {
		return err
	}
	if err := say(out, "\n%s not answered:", plural(len(v.Messages), "message", "messages")); err != nil {
		return err
	}
	t = newTable(out, "MESSAGE", "SENT", "KIND", "TEXT")
	for _, m := range v.Messages {
		t.row(visible(m.ID), stamp(m.SentAt), m.Kind, visible(m.Text))
	}
	if err := t.end(); err != nil {
		return err
	}
	return writeParts(out, v.Parts)
}

// DeadLettersReplay puts the messages of a dead letter back, to be answered now.
func DeadLettersReplay(ctx context.Context, port ports.DeadLetterPort, out io.Writer, turn domain.TurnID, opt Options) error {
	if err := port.Replay(ctx, turn); err != nil {
		return explain(err, "replay "+string(turn))
	}
	return settled(out, turn, "replayed", "The messages of %s wait to be answered again.", opt)
}

// DeadLettersDrop removes a dead letter for good, once it is confirmed.
func DeadLettersDrop(ctx context.Context, port ports.DeadLetterPort, out io.Writer, turn domain.TurnID, opt Options) error {
	if !opt.Yes {
		return ErrNotConfirmed
	}
	if err := port.Discard(ctx, turn); err != nil {
		return explain(err, "drop "+string(turn))
	}
	return settled(out, turn, "dropped", "The dead letter %s is gone.", opt)
}

func settled(out io.Writer, turn domain.TurnID, outcome, sentence string, opt Options) error {
	if opt.JSON {
		return document(out, map[string]string{"turn": string(turn), "outcome": outcome})
	}
	return say(out, sentence, turn)
}
