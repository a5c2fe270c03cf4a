package porttest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/ports/porttest"
)

// brokenStores maps each broken store to what makes it of a good one.
var brokenStores = map[string]func(good *fake.Store) porttest.Store{
	"racy claim":                    func(s *fake.Store) porttest.Store { return &racyClaim{Store: s} },
	"duplicate extends time":        func(s *fake.Store) porttest.Store { return &slidingIDs{Store: s} },
	"ids never forgotten":           func(s *fake.Store) porttest.Store { return &longMemory{Store: s} },
	"claim before store":            func(s *fake.Store) porttest.Store { return &claimFirst{Store: s} },
	"batch stored in pieces":        func(s *fake.Store) porttest.Store { return pieces{s} },
	"stranger inherits":             func(s *fake.Store) porttest.Store { return gullible{s} },
	"alias ignored":                 func(s *fake.Store) porttest.Store { return noPhone{s} },
	"numbers mixed up":              func(s *fake.Store) porttest.Store { return oneNumber{s} },
	"changed number ignored":        func(s *fake.Store) porttest.Store { return deafToChange{s} },
	"answers out of order":          func(s *fake.Store) porttest.Store { return shuffledAnswers{s} },
	"canceled admit":                func(s *fake.Store) porttest.Store { return deafAdmit{s} },
	"two leases at once":            func(s *fake.Store) porttest.Store { return &doubleLease{Store: s} },
	"lease never expires":           func(s *fake.Store) porttest.Store { return immortal{s} },
	"extend does nothing":           func(s *fake.Store) porttest.Store { return noExtend{s} },
	"fencing off":                   func(s *fake.Store) porttest.Store { return &unfenced{Store: s} },
	"lease swallows context":        func(s *fake.Store) porttest.Store { return silentLease{s} },
	"order broken":                  func(s *fake.Store) porttest.Store { return backwards{s} },
	"pending unbounded":             func(s *fake.Store) porttest.Store { return &unbounded{Store: s} },
	"hold ignored":                  func(s *fake.Store) porttest.Store { return impatient{s} },
	"strangers first":               func(s *fake.Store) porttest.Store { return noHeadStart{s} },
	"newest due first":              func(s *fake.Store) porttest.Store { return &unfair{Store: s} },
	"checkpoint lost":               func(s *fake.Store) porttest.Store { return forgetful{s} },
	"costs of a turn lost":          func(s *fake.Store) porttest.Store { return costless{s} },
	"finish keeps consumed":         func(s *fake.Store) porttest.Store { return keepsInputs{s} },
	"finish loses new messages":     func(s *fake.Store) porttest.Store { return losesNew{s} },
	"finish twice":                  func(s *fake.Store) porttest.Store { return lenientFinish{s} },
	"finish forgets conversation":   func(s *fake.Store) porttest.Store { return amnesia{s} },
	"finish loses facts":            func(s *fake.Store) porttest.Store { return seesAll{s} },
	"release waits":                 func(s *fake.Store) porttest.Store { return slowRelease{s} },
	"defer early":                   func(s *fake.Store) porttest.Store { return hasty{s} },
	"defer shortened by message":    func(s *fake.Store) porttest.Store { return &nervous{Store: s} },
	"defer sleeps over status":      func(s *fake.Store) porttest.Store { return &deepSleep{Store: s} },
	"dead turn forgotten":           func(s *fake.Store) porttest.Store { return noGraves{s} },
	"pending of lease time":         func(s *fake.Store) porttest.Store { return &frozen{Store: s} },
	"pending newest first":          func(s *fake.Store) porttest.Store { return newestFirst{s} },
	"pending not fenced":            func(s *fake.Store) porttest.Store { return &openBook{unfenced: unfenced{Store: s}} },
	"pending empty when lost":       func(s *fake.Store) porttest.Store { return empty{s} },
	"pending handed out once":       func(s *fake.Store) porttest.Store { return &readOnce{Store: s} },
	"pending consumes":              func(s *fake.Store) porttest.Store { return &eatsRead{losesNew: losesNew{s}} },
	"pending call unbounded":        func(s *fake.Store) porttest.Store { return &boundless{chronicle{Store: s}} },
	"pending repeats":               func(s *fake.Store) porttest.Store { return &stutter{chronicle{Store: s}} },
	"pending of finished turns":     func(s *fake.Store) porttest.Store { return &undead{chronicle{Store: s}} },
	"pending of everybody":          func(s *fake.Store) porttest.Store { return &oneInbox{chronicle{Store: s}} },
	"pending of this process":       func(s *fake.Store) porttest.Store { return &selfish{chronicle{Store: s}} },
	"pending waits for hold":        func(s *fake.Store) porttest.Store { return polite{s} },
	"pending ends lease":            func(s *fake.Store) porttest.Store { return impolite{s} },
	"pending without open turns":    func(s *fake.Store) porttest.Store { return &newsOnly{Store: s} },
	"pending prolongs":              func(s *fake.Store) porttest.Store { return prolongs{s} },
	"pending from a copy":           func(s *fake.Store) porttest.Store { return &lagging{Store: s} },
	"pending deaf to context":       func(s *fake.Store) porttest.Store { return deafPending{s} },
	"news nil":                      func(s *fake.Store) porttest.Store { return noNews{s} },
	"news never told":               func(s *fake.Store) porttest.Store { return &teller{Store: s, never: true} },
	"news told once":                func(s *fake.Store) porttest.Store { return &teller{Store: s, once: true} },
	"news after hold":               func(s *fake.Store) porttest.Store { return &teller{Store: s, noHolds: true} },
	"news block":                    func(s *fake.Store) porttest.Store { return &teller{Store: s, waits: true} },
	"news end with first TTL":       func(s *fake.Store) porttest.Store { return &teller{Store: s, firstTTL: true} },
	"news go to oldest":             func(s *fake.Store) porttest.Store { return &teller{Store: s, oldest: true} },
	"news forgotten for another":    func(s *fake.Store) porttest.Store { return &teller{Store: s, anyToken: true} },
	"news never forgotten":          func(s *fake.Store) porttest.Store { return &teller{Store: s} },
	"news closed":                   func(s *fake.Store) porttest.Store { return &teller{Store: s, closes: true} },
	"news of this process":          func(s *fake.Store) porttest.Store { return &teller{Store: s} },
	"observe not idempotent":        func(s *fake.Store) porttest.Store { return alwaysNew{s} },
	"every price is the first":      func(s *fake.Store) porttest.Store { return allPriced{s} },
	"no price is the first":         func(s *fake.Store) porttest.Store { return neverPriced{s} },
	"failure does not wake":         func(s *fake.Store) porttest.Store { return optimist{s} },
	"every fact wakes":              func(s *fake.Store) porttest.Store { return &pessimist{Store: s} },
	"wamid ignored":                 func(s *fake.Store) porttest.Store { return refOnly{s} },
	"unknown send is an error":      func(s *fake.Store) porttest.Store { return strangerError{s} },
	"facts not applied":             func(s *fake.Store) porttest.Store { return &plainTurns{Store: s} },
	"turns oldest first":            func(s *fake.Store) porttest.Store { return oldestFirst{s} },
	"load answers before finish":    func(s *fake.Store) porttest.Store { return &eagerLoad{Store: s} },
	"abandoned never told":          func(s *fake.Store) porttest.Store { return &marker{Store: s, never: true} },
	"abandoned told once":           func(s *fake.Store) porttest.Store { return &marker{Store: s, once: true} },
	"abandoned from the first":      func(s *fake.Store) porttest.Store { return &marker{Store: s, first: true} },
	"abandoned after release":       func(s *fake.Store) porttest.Store { return &marker{Store: s, deaf: "Release"} },
	"abandoned after defer":         func(s *fake.Store) porttest.Store { return &marker{Store: s, deaf: "Defer"} },
	"abandoned after finish":        func(s *fake.Store) porttest.Store { return &marker{Store: s, deaf: "Finish"} },
	"abandoned after pause":         func(s *fake.Store) porttest.Store { return &marker{Store: s, deaf: "Pause"} },
	"late release ends":             func(s *fake.Store) porttest.Store { return &marker{Store: s, late: "Release"} },
	"late defer ends":               func(s *fake.Store) porttest.Store { return &marker{Store: s, late: "Defer"} },
	"late finish ends":              func(s *fake.Store) porttest.Store { return &marker{Store: s, late: "Finish"} },
	"extend ends":                   func(s *fake.Store) porttest.Store { return extendEnds{&marker{Store: s}} },
	"abandoned by everybody":        func(s *fake.Store) porttest.Store { return &marker{Store: s, everybody: true} },
	"abandoned in this process":     func(s *fake.Store) porttest.Store { return &marker{Store: s} },
	"abandoned until reopen":        func(s *fake.Store) porttest.Store { return &marker{Store: s} },
	"nothing survives reopen":       func(s *fake.Store) porttest.Store { return s },
	"failed observe remembers fact": func(s *fake.Store) porttest.Store { return &claimFact{Store: s} },
}

func brokenHarness(name string) porttest.StoreHarness {
	var good *fake.Store // inside the broken store of the case under way
	h := porttest.StoreHarness{
		New: func(*testing.T) porttest.Store {
			good = fake.NewStore(fake.StoreOptions{})
			return brokenStores[name](good)
		},
		Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
		Break: func(*testing.T, porttest.Store) func() {
			good.Fail(errors.New("no room left"))
			return func() { good.Fail(nil) }
		},
		// Another process is the good store behind the broken one.
		Another: func(*testing.T, porttest.Store) porttest.Store { return good },
		Wrap:    synctest.Test,
	}
	switch name {
	case "nothing survives reopen":
		h.Reopen = func(*testing.T, porttest.Store) porttest.Store { return fake.NewStore(fake.StoreOptions{}) }
	case "abandoned until reopen":
		h.Reopen = func(*testing.T, porttest.Store) porttest.Store { return &marker{Store: good} }
	case "abandoned in this process":
		h.Another = func(*testing.T, porttest.Store) porttest.Store { return &marker{Store: good} }
	}
	return h
}

func TestDedupRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"racy claim":              "ConcurrentAdmitIsNewOnce",
		"duplicate extends time":  "DuplicateDoesNotExtendTheTime",
		"ids never forgotten":     "IDIsForgottenAfterEightDays",
		"claim before store":      "FailedAdmitCanBeRepeated",
		"batch stored in pieces":  "InvalidMessageFailsWholeBatch",
		"stranger inherits":       "StrangerOnAnOldNumberStartsAnew",
		"alias ignored":           "UserIDAndPhoneLeadToOne",
		"numbers mixed up":        "TwoNumbersAreTwoConversations",
		"changed number ignored":  "ChangedNumberMoves",
		"answers out of order":    "BatchIsAnsweredInItsOrder",
		"canceled admit":          "EndedContextAdmitsNothingHalf",
		"nothing survives reopen": "AdmittedIDsSurviveReopen",
	}, func(t *testing.T, name string) { porttest.TestDedup(t, brokenHarness(name)) })
}

func TestInboxRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"two leases at once":          "OneLeaseAtATime",
		"lease never expires":         "ExpiredLeaseIsGivenAgain",
		"extend does nothing":         "ExtendKeepsLease",
		"fencing off":                 "LostLeaseChangesNothing",
		"lease swallows context":      "LeaseEndsWithContext",
		"order broken":                "PendingKeepsOrderOfAdmission",
		"pending unbounded":           "PendingIsBounded",
		"hold ignored":                "HoldDelays",
		"newest due first":            "LongestDueComesFirst",
		"strangers first":             "CrowdOfStrangersWaits",
		"abandoned never told":        "AbandonedLeaseIsTold",
		"abandoned told once":         "AbandonedLeaseIsTold",
		"abandoned from the first":    "AbandonedLeaseIsTold",
		"extend ends":                 "AbandonedLeaseIsTold",
		"abandoned after release":     "EndedLeaseIsNotAbandoned",
		"abandoned after defer":       "EndedLeaseIsNotAbandoned",
		"abandoned after finish":      "EndedLeaseIsNotAbandoned",
		"abandoned after pause":       "PauseAbandonsNoLease",
		"late release ends":           "LateCallEndsNoLease",
		"late defer ends":             "LateCallEndsNoLease",
		"late finish ends":            "LateCallEndsNoLease",
		"abandoned by everybody":      "AbandonedIsOneConversations",
		"abandoned in this process":   "AbandonedByAnotherIsTold",
		"abandoned until reopen":      "AbandonedSurvivesReopen",
		"checkpoint lost":             "CheckpointComesBack",
		"finish keeps consumed":       "FinishConsumesOnlyItsInputs",
		"finish loses new messages":   "MessageDuringLeaseMakesDueAgain",
		"finish twice":                "FinishTwiceIsLost",
		"finish forgets conversation": "FinishStoresConversation",
		"release waits":               "ReleaseMakesDueAtOnce",
		"defer early":                 "DeferWaits",
		"defer shortened by message":  "NewMessageDoesNotShortenDefer",
		"defer sleeps over status":    "StatusDuringLeaseIsNotSleptOver",
		"dead turn forgotten":         "DeadTurnIsKept",
		"pending of lease time":       "MessageDuringLeaseIsPending",
		"pending newest first":        "PendingCallKeepsOrder",
		"pending not fenced":          "PendingOfLostLeaseIsRefused",
		"pending empty when lost":     "PendingOfLostLeaseIsRefused",
		"pending handed out once":     "PendingChangesNothing",
		"pending consumes":            "PendingChangesNothing",
		"pending call unbounded":      "PendingCallIsBounded",
		"pending repeats":             "DuplicateIsPendingOnce",
		"pending of finished turns":   "ConsumedMessageIsNotPending",
		"pending of everybody":        "PendingIsOfOneConversation",
		"pending of this process":     "PendingKnowsWhatOthersAdmit",
		"pending waits for hold":      "PendingWaitsForNoHold",
		"pending ends lease":          "PendingChangesNothing",
		"pending without open turns":  "InputsOfOpenTurnArePending",
		"pending prolongs":            "PendingDoesNotProlongLease",
		"pending from a copy":         "AnsweredAdmissionIsPending",
		"pending deaf to context":     "PendingEndsWithContext",
		"news nil":                    "NewsTellOfMessage",
		"news never told":             "NewsTellOfMessage",
		"news told once":              "NewsTellOfEachMessageThatIsAlone",
		"news after hold":             "NewsTellOfMessageOnHold",
		"news block":                  "UnreadNewsHoldUpNobody",
		"news end with first TTL":     "NewsOutliveExtend",
		"news go to oldest":           "NewsGoToNewestLease",
		"news forgotten for another":  "NewsGoToNewestLease",
		"news never forgotten":        "NewsEndWithLease",
		"news closed":                 "NewsEndWithLease",
		"news of this process":        "NewsTellOfWhatOthersAdmit",
	}, func(t *testing.T, name string) { porttest.TestInbox(t, brokenHarness(name)) })
}

func TestConversationRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"observe not idempotent":        "SameFactTwiceIsRecordedOnce",
		"every price is the first":      "FirstPriceOfASendIsMarked",
		"no price is the first":         "FirstPriceOfASendIsMarked",
		"failure does not wake":         "FailureReopensSettledTurn",
		"every fact wakes":              "SuccessLeavesSettledTurnAlone",
		"wamid ignored":                 "StatusIsFoundByWamid",
		"unknown send is an error":      "UnknownSendIsNoError",
		"facts not applied":             "StatusIsFoundByReference",
		"turns oldest first":            "TurnsComeNewestFirst",
		"load answers before finish":    "LoadKnowsOnlyFinished",
		"finish loses facts":            "FactDuringLeaseIsNotLost",
		"failed observe remembers fact": "FailedObserveCanBeRepeated",
	}, func(t *testing.T, name string) { porttest.TestConversation(t, brokenHarness(name)) })
}
