package app

import (
	"errors"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// ReplyMode is the form in which the bot answers.
type ReplyMode string

// The reply modes.
const (
	ReplyVoice  ReplyMode = "voice"  // always a voice note
	ReplyText   ReplyMode = "text"   // always text
	ReplyMirror ReplyMode = "mirror" // the way the user wrote
	ReplyBoth   ReplyMode = "both"   // a voice note, then its words
)

// SendPolicy decides about a send whose outcome nobody could learn.
type SendPolicy string

// The send policies.
const (
	// AtLeastOnce sends again: the user may get an answer twice.
	AtLeastOnce SendPolicy = "at_least_once"
	// AtMostOnce gives up: the user may get no answer.
	AtMostOnce SendPolicy = "at_most_once"
)

// DefaultFallback is what the user reads when an answer cannot be made.
const DefaultFallback = "Sorry, we couldn't process your request. Please try again later"

// Options are the rules of the slow half that are the same for every business
// number. All fields are required unless their comment says otherwise.
type Options struct {
	// SettleWait is how long an unknown outcome waits for its status webhook.
	SettleWait time.Duration
	SendPolicy SendPolicy
	// TakesStatuses says that status webhooks come in through this process alone, so
	// that none could while it was down.
	TakesStatuses bool
	// SpeakParallel is how many pieces of one answer are spoken at once, while the model
	// writes on; with 1 the whole answer is spoken in one piece when it is there.
	SpeakParallel int
	// Notes makes voice notes of clips.
	Notes NoteMaker
	// Clips measures what users sent; nil: nothing is refused for its length.
	Clips ClipMeter
	// Secrets are the values in force that no answer may hold; nil: there are none. It is
	// called once a turn and may be called concurrently.
	Secrets func() []string
	// Budget says what may be spent; the zero value sets no limit.
	Budget Budget
	// NewID makes a unique id of letters and digits.
	NewID func() string
}

// NoteMaker makes and examines voice notes. Its methods may be called concurrently.
type NoteMaker interface {
	// Join makes one note of clips in their order, with the given pause after each.
	Join(clips []domain.Audio, pauses []time.Duration) (domain.Audio, error)
	// Check reports why a note that says so many characters must not be sent: it is
	// damaged, not mono, or lasts much too short or long. Its size is not judged.
	Check(note domain.Audio, characters int) error
}

func (o Options) validate() error {
	var faults []error
	if o.SendPolicy != AtLeastOnce && o.SendPolicy != AtMostOnce {
		faults = append(faults, fmt.Errorf("unknown send policy %q", o.SendPolicy))
	}
	if o.SettleWait <= 0 || o.SpeakParallel <= 0 || o.NewID == nil || o.Notes == nil {
		faults = append(faults, errors.New("settle wait, number of pieces spoken at once, id maker and note maker are required"))
	}
	return errors.Join(faults...)
}

// Deps are what the slow half works through.
type Deps struct {
	Inbox     ports.InboxPort
	Controls  ports.ControlPort
	Messenger ports.MessengerPort
	Personas  *Personas
	Observer  ports.ObserverPort
	// Pacer counts how often people are answered; nil: nobody is held back.
	Pacer  ports.PacerPort
	Tracer ports.TracerPort // nil: turns leave no trace
	// Ledger is needed where a budget is set.
	Ledger ports.LedgerPort
	// Handoffs are told of people who ask for a human; nil: nobody is.
	Handoffs ports.HandoffPort
	// Books are told what turns cost; nil: nobody is.
	Books *Books
}

// Budgets of single steps. They sit inside TurnTimeout and keep one slow vendor
// from eating it whole.
const (
	fetchBudget      = 20 * time.Second // 16 MB over a slow link
	transcribeBudget = 40 * time.Second
	synthesizeBudget = 40 * time.Second
	uploadBudget     = 20 * time.Second
	// sendBudget is long on purpose: a send that is cut off has an unknown outcome,
	// which costs far more than waiting.
	sendBudget = 30 * time.Second
	// storeBudget bounds one durable write.
	storeBudget = 10 * time.Second
	// presenceBudget bounds one read receipt; nobody waits for it.
	presenceBudget = 5 * time.Second
	// presenceGrace is how long an answer that is ready waits for a receipt under way.
	presenceGrace = 300 * time.Millisecond
	// typingRefresh is below the 25 s after which Meta hides the indicator.
	typingRefresh = 20 * time.Second
	// maxParallelClips bounds how many notes of one burst are heard at once.
	maxParallelClips = 4
	// maxTakeUps is how often a turn that was never sent is taken up before the bot
	// apologises: whatever kills the process at it will do so again.
	maxTakeUps = 8
	// maxNoteBytes is the size above which WhatsApp shows a download arrow in place
	// of the play button (Meta, "Audio messages").
	maxNoteBytes = 512 << 10
)
