package whatsapp

import (
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Action is what an error of the Graph API asks us to do.
type Action string

// The actions.
const (
	ActionRetry         Action = "retry"          // seconds, then again
	ActionRetrySlowly   Action = "retry_slowly"   // minutes, and send less
	ActionPermanent     Action = "permanent"      // this message will never go through
	ActionConfiguration Action = "configuration"  // nothing will, until somebody mends the account
	ActionRecipientHold Action = "recipient_hold" // wait for this recipient only
	ActionWindow        Action = "window"         // no free text until the user writes again
	ActionMedia         Action = "media"          // the clip was refused; its words may go through
)

// Rule is one row of the error table.
type Rule struct {
	From, To int // codes, both included
	Meaning  string
	Action   Action
	Kind     ports.Kind
	Scope    ports.Scope
	Class    domain.FailureClass
	// Wait is how long to wait when the answer names no time.
	Wait time.Duration
}

// Rules are Meta's error codes (Meta, "Error codes") as this program understands
// them, in ascending order. They hold for answers and for failed statuses alike:
// Meta says of many codes that they come "synchronously, by webhook, or both".
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }

var rules = [...]Rule{
	denied(0, 0, "the access token is invalid or expired"),
	retry(1, 1, "invalid request or server error", 2*time.Second),
	retry(2, 2, "temporary outage", 5*time.Second),
	denied(3, 3, "the app lacks the capability"),
	slowly(4, 4, "the app's call limit is reached"),
	denied(10, 10, "permission is missing"),
	numberDenied(33, 33, "the business number was deleted"),
	invalid(100, 100, "a parameter is invalid"),
	denied(104, 104, "no access token was sent"),
	denied(190, 190, "the access token is invalid or expired"),
	denied(200, 299, "permission is missing"),
	denied(368, 368, "the account is blocked for a policy violation"),
	slowly(80007, 80007, "the business account's call limit is reached"),
	person(130403, 130403, "we blocked this user", ports.KindBlocked),
	{130429, 130429, "the number's throughput is reached", ActionRetry, ports.KindRateLimited, ports.ScopeNumber, domain.FailTransient, 2 * time.Second},
	marketing(130472, 130472, "the user is part of an experiment"),
	denied(130497, 130497, "the account may not message users in this country"),
	retry(131000, 131000, "unknown error", 5*time.Second),
	denied(131005, 131005, "permission is missing"),
	invalid(131008, 131008, "a required parameter is missing"),
	invalid(131009, 131009, "a parameter value is not valid"),
	retry(131016, 131016, "the service is overloaded", 5*time.Second),
	person(131021, 131021, "the sender is the recipient", ports.KindInvalid),
	person(131026, 131026, "the message cannot be delivered to this user", ports.KindNotFound),
	// Only this recipient is concerned, but only somebody at the account can mend it.
	{131030, 131030, "the recipient is not on the test number's list", ActionConfiguration, ports.KindDenied, ports.ScopeRecipient, domain.FailConfig, 0},
	denied(131031, 131031, "the account is locked"),
	denied(131042, 131042, "there is a problem with the payment method"),
	numberDenied(131045, 131045, "the business number is not registered"),
	{131047, 131047, "the 24-hour window is closed", ActionWindow, ports.KindBlocked, ports.ScopeWindow, domain.FailWindow, 0},
	spam(131048, 131048, "the number's spam limit is reached"),
	marketing(131049, 131049, "held back to keep the user's engagement"),
	marketing(131050, 131050, "the user stopped marketing messages"),
	media(131051, 131051, "the message type is not supported"),
	media(131052, 131052, "the media could not be downloaded"),
	media(131053, 131053, "the media was refused"),
	// One message per 6 seconds and user is what Meta grants in the long run.
	{131056, 131056, "too many messages to this user", ActionRecipientHold, ports.KindRateLimited, ports.ScopeRecipient, domain.FailRecipientHold, 6 * time.Second},
	maintenance(131057, 131057),
	{131060, 131060, "the message is unavailable", ActionPermanent, ports.KindUnsupported, ports.ScopeCall, domain.FailPermanent, 0},
	person(131062, 131062, "this user id cannot receive this message", ports.KindUnsupported),
	spam(131064, 131064, "the number's classification limit is reached"),
	invalid(132000, 132999, "a template was refused"),
	retry(133004, 133004, "the server is unavailable", 5*time.Second),
	numberDenied(133010, 133010, "the business number is not registered"),
	invalid(134000, 134999, "a payment message was refused"),
	invalid(135000, 135000, "a parameter is wrong"),
	invalid(138000, 138999, "a call was refused"),
	invalid(139000, 139999, "a flow or block request was refused"),
	maintenance(2494100, 2494100),
}

func denied(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionConfiguration, ports.KindDenied, ports.ScopeAccount, domain.FailConfig, 0}
}

func numberDenied(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionConfiguration, ports.KindDenied, ports.ScopeNumber, domain.FailConfig, 0}
}

func retry(from, to int, meaning string, wait time.Duration) Rule {
	return Rule{from, to, meaning, ActionRetry, ports.KindTransient, ports.ScopeCall, domain.FailTransient, wait}
}

// slowly is for quotas counted by the hour, over the whole account.
func slowly(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionRetrySlowly, ports.KindRateLimited, ports.ScopeAccount, domain.FailTransient, 2 * time.Minute}
}

// spam is a judgement on what the number sends. A late one is not followed by
// another try, which would feed the judgement: its class is permanent.
func spam(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionRetrySlowly, ports.KindRateLimited, ports.ScopeNumber, domain.FailPermanent, 15 * time.Minute}
}

func maintenance(from, to int) Rule {
	return Rule{from, to, "the account is in maintenance", ActionRetry, ports.KindTransient, ports.ScopeNumber, domain.FailTransient, time.Minute}
}

func invalid(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionPermanent, ports.KindInvalid, ports.ScopeCall, domain.FailPermanent, 0}
}

func person(from, to int, meaning string, kind ports.Kind) Rule {
	return Rule{from, to, meaning, ActionPermanent, kind, ports.ScopeRecipient, domain.FailRecipient, 0}
}

// marketing limits do not concern a bot that replies.
func marketing(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionPermanent, ports.KindBlocked, ports.ScopeRecipient, domain.FailPermanent, 0}
}

func media(from, to int, meaning string) Rule {
	return Rule{from, to, meaning, ActionMedia, ports.KindUnsupported, ports.ScopeMedia, domain.FailMedia, 0}
}

// RuleFor finds the row of a code.
func RuleFor(code int) (Rule, bool) {
	for _, r := range rules {
		if code >= r.From && code <= r.To {
			return r, true
		}
	}
	return Rule{}, false
}

// FailureOf says what a failed status with this code calls for. An unknown code is
// permanent: a repeat of what Meta refused for a reason we do not know is a guess.
func FailureOf(code int) domain.Failure {
	if r, ok := RuleFor(code); ok {
		return domain.Failure{Code: code, Class: r.Class}
	}
	return domain.Failure{Code: code, Class: domain.FailPermanent}
}
