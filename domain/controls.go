package domain

import (
	"errors"
	"fmt"
	"time"
)

// Controls are what people have decided about a conversation: who may be answered is
// no business of the model. The zero value is the normal case.
type Controls struct {
	// Paused is how much longer the bot keeps silent, by the store's clock at the moment
	// it was asked; zero when it may speak.
	Paused   time.Duration
	PausedBy PausedBy // empty when not paused
	// OptedOut is true for a person who asked not to be answered any more.
	OptedOut bool
	// Blocked is true for a person the operator does not want answered.
	Blocked bool
}

// PausedBy says why the bot keeps silent; a stable word.
type PausedBy string

// The causes of a pause.
const (
	PausedByOperator PausedBy = "operator" // somebody of the business wrote to the person
	PausedByOrder    PausedBy = "order"    // a command or a call of the admin API
	PausedByUser     PausedBy = "user"     // the person asked for a human
)

// ControlKind names one change of Controls.
type ControlKind string

// The changes.
const (
	ControlPause   ControlKind = "pause" // replaces a pause that is in force
	ControlResume  ControlKind = "resume"
	ControlOptOut  ControlKind = "opt_out"
	ControlOptIn   ControlKind = "opt_in"
	ControlBlock   ControlKind = "block"
	ControlUnblock ControlKind = "unblock"
)

// ControlChange is one decision. For and By belong to ControlPause.
type ControlChange struct {
	Kind ControlKind
	For  time.Duration
	By   PausedBy
}

// MaxPause bounds a pause: whoever wants more wants the person blocked.
const MaxPause = 366 * 24 * time.Hour

// Validate reports the first rule the change breaks, or nil.
func (c ControlChange) Validate() error {
	switch c.Kind {
	case ControlPause:
		if c.For <= 0 || c.For > MaxPause {
			return fmt.Errorf("a pause lasts more than zero and at most %s", MaxPause)
		}
		if c.By != PausedByOperator && c.By != PausedByOrder && c.By != PausedByUser {
			return errors.New("a pause needs a known cause")
		}
	case ControlResume, ControlOptOut, ControlOptIn, ControlBlock, ControlUnblock:
	default:
		return fmt.Errorf("unknown change of the controls %q", c.Kind)
	}
	return nil
}
