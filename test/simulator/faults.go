package simulator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Faults are the switches of the simulated cloud. All percentages are 0 to 100, all times milliseconds.
type Faults struct {
	// Webhooks to the bot.
	DuplicatePercent    int `json:"duplicate_percent"`     // the same POST once more, at the same time or after the 200
	ReorderPercent      int `json:"reorder_percent"`       // the message is delivered after the same user's next one (or after 500 ms)
	BatchSize           int `json:"batch_size"`            // updates put into one POST, 1 to 1000
	BatchWindowMS       int `json:"batch_window_ms"`       // how long a batch waits to fill; 0 means 20 ms
	WebhookDelayMS      int `json:"webhook_delay_ms"`      // before the first try
	BadSignaturePercent int `json:"bad_signature_percent"` // the try carries a wrong signature; whatever the answer, it is tried again

	// Statuses of the bot's messages.
	StatusDelayMS   int      `json:"status_delay_ms"`   // between two statuses of one message
	StatusReorder   bool     `json:"status_reorder"`    // the automatic statuses of one message in another order than they happened
	DropStatuses    []string `json:"drop_statuses"`     // these never reach the bot
	LateFailureCode int      `json:"late_failure_code"` // accepted, then `failed`; 131052 and 131053 hit media messages only

	// Answers of the Graph API.
	ErrorByRecipient    map[string]RecipientError `json:"error_by_recipient"` // key: phone digits or business-scoped user id
	ErrorPercent        int                       `json:"error_percent"`      // of all Graph calls
	ErrorCode           int                       `json:"error_code"`
	ErrorHTTPStatus     int                       `json:"error_http_status"`
	DropAnswerPercent   int                       `json:"drop_answer_percent"` // the send is accepted, then the connection is cut
	GraphDelayMS        int                       `json:"graph_delay_ms"`
	ErrorsByStatus      bool                      `json:"errors_by_status"` // error_by_recipient and 131047 as a late `failed` and not in the answer
	PairRateLimit       bool                      `json:"pair_rate_limit"`  // 45 at once, then one per 6 s and user: 131056
	ThroughputLimit     bool                      `json:"throughput_limit"` // 80 messages/s, in and out together: 130429
	MediaURLTTLMS       int                       `json:"media_url_ttl_ms"`
	MediaHostRedirect   string                    `json:"media_host_redirect"` // downloads are redirected to this host
	CorruptMediaPercent int                       `json:"corrupt_media_percent"`

	// What the user's phone does by itself.
	AutoDelivered        bool `json:"auto_delivered"`
	AutoRead             bool `json:"auto_read"`
	AutoPlayed           bool `json:"auto_played"`
	TypingRefreshExtends bool `json:"typing_refresh_extends"` // a typing call during the 25 s starts them again; Meta does not document it
}

// RecipientError makes sends to one recipient fail.
type RecipientError struct {
	Code       int `json:"code"`
	HTTPStatus int `json:"http_status"` // 0: the usual one of the code
	Times      int `json:"times"`       // so many failures, then the entry disappears; 0: always
}

// DefaultFaults is a cloud without faults whose phones receive messages by themselves and read nothing.
func DefaultFaults() Faults {
	return Faults{
		BatchSize: 1, ErrorCode: codeUnknown, ErrorHTTPStatus: 500, MediaURLTTLMS: 300_000, AutoDelivered: true,
		TypingRefreshExtends: true, DropStatuses: []string{}, ErrorByRecipient: map[string]RecipientError{},
	}
}

func (f Faults) clone() Faults {
	f.DropStatuses = append([]string{}, f.DropStatuses...)
	byRecipient := make(map[string]RecipientError, len(f.ErrorByRecipient))
	for k, v := range f.ErrorByRecipient {
		byRecipient[strings.TrimPrefix(k, "+")] = v
	}
	f.ErrorByRecipient = byRecipient
	return f
}

const maxFaultDelayMS = 24 * 60 * 60 * 1000

func (f Faults) validate() error {
	var errs []error
	percents := map[string]int{
		"duplicate_percent": f.DuplicatePercent, "reorder_percent": f.ReorderPercent,
		"bad_signature_percent": f.BadSignaturePercent, "error_percent": f.ErrorPercent,
		"drop_answer_percent": f.DropAnswerPercent, "corrupt_media_percent": f.CorruptMediaPercent,
	}
	for _, name := range slices.Sorted(maps.Keys(percents)) {
		if percents[name] < 0 || percents[name] > 100 {
			errs = append(errs, fmt.Errorf("%s must be 0 to 100", name))
		}
	}
	delays := map[string]int{
		"batch_window_ms": f.BatchWindowMS, "webhook_delay_ms": f.WebhookDelayMS,
		"status_delay_ms": f.StatusDelayMS, "graph_delay_ms": f.GraphDelayMS, "media_url_ttl_ms": f.MediaURLTTLMS,
	}
	for _, name := range slices.Sorted(maps.Keys(delays)) {
		if delays[name] < 0 || delays[name] > maxFaultDelayMS {
			errs = append(errs, fmt.Errorf("%s must be 0 to %d", name, maxFaultDelayMS))
		}
	}
	if f.BatchSize < 1 || f.BatchSize > maxUpdatesPerPost {
		errs = append(errs, fmt.Errorf("batch_size must be 1 to %d", maxUpdatesPerPost))
	}
	for _, name := range f.DropStatuses {
		if statusRank(name) == 0 {
			errs = append(errs, fmt.Errorf("drop_statuses: %q is no status", name))
		}
	}
	if f.ErrorPercent > 0 && (f.ErrorHTTPStatus < 400 || f.ErrorHTTPStatus > 599) {
		errs = append(errs, errors.New("error_http_status must be 400 to 599"))
	}
	for _, e := range f.ErrorByRecipient {
		if e.Times < 0 || (e.HTTPStatus != 0 && (e.HTTPStatus < 400 || e.HTTPStatus > 599)) {
			errs = append(errs, errors.New("error_by_recipient: http_status must be 400 to 599 and times not negative"))
		}
	}
	return errors.Join(errs...)
}

// Faults returns the switches in force; counted errors show what is left of them.
func (s *Simulator) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.clone()
}

// SetFaults replaces all switches at once. It changes nothing when one of them is out of range.
func (s *Simulator) SetFaults(f Faults) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("set faults: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f.clone()
	s.events.publish("faults", s.faults)
	s.changedLocked()
	return nil
}

// roll says whether a switch of so many percent strikes now. The caller holds the lock.
func (s *Simulator) roll(percent int) bool {
	return percent > 0 && s.rng.IntN(100) < percent
}

// recipientError takes one failure for a recipient, if one is switched on. The caller holds the lock.
func (s *Simulator) recipientError(u *user) (RecipientError, bool) {
	for _, key := range []string{u.Phone, u.UserID} {
		e, ok := s.faults.ErrorByRecipient[key]
		if key == "" || !ok {
			continue
		}
		if e.Times == 1 {
			delete(s.faults.ErrorByRecipient, key)
		} else if e.Times > 1 {
			s.faults.ErrorByRecipient[key] = RecipientError{e.Code, e.HTTPStatus, e.Times - 1}
		}
		return e, true
	}
	return RecipientError{}, false
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }
