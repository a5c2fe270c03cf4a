package porttest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var failureCases = []messengerCase{
	{"CutAnswerMaybeDone", cutAnswerMaybeDone},
	{"RefusalsHaveTheirKind", refusalsHaveTheirKind},
	{"RefusedClipIsAboutTheClip", refusedClip},
	{"SendAfterAFailureWorks", sendAfterAFailure},
	{"EndedContextSendsNothing", endedContextSendsNothing},
	{"CancelWhileWaitingMaybeDone", cancelWhileWaiting},
	{"DeadlineWhileWaitingMaybeDone", deadlineWhileWaiting},
}

func cutAnswerMaybeDone(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.CutAnswer != nil, "cut an answer off")
	n.CutAnswer()
	id, err := n.Messenger.Send(t.Context(), textTo(messengerContact, messengerSecret))
	if err == nil {
		t.Fatalf("got id %q for a message whose answer was lost", id)
	}
	checkDiscreet(t, err)
	if !ports.MaybeDone(err) || ports.Retryable(err) {
		t.Errorf("MaybeDone %t, retryable %t; want a send of unknown outcome: %v", ports.MaybeDone(err), ports.Retryable(err), err)
	}
	checkTraffic(t, n, 1, 1)
}

func refusalsHaveTheirKind(t *testing.T, n MessengerNetwork) {
	checked := false
	for _, c := range []struct {
		name      string
		provoke   func()
		kind      ports.Kind
		scope     []ports.Scope // nil: any
		retryable bool
	}{
		{"deny", n.Deny, ports.KindDenied, nil, false},
		{"limit the rate", n.RateLimit, ports.KindRateLimited, []ports.Scope{ports.ScopeNumber, ports.ScopeAccount, ports.ScopeCall}, true},
		{"hold a recipient", n.HoldRecipient, ports.KindRateLimited, []ports.Scope{ports.ScopeRecipient}, true},
		{"close the window", n.CloseWindow, "", []ports.Scope{ports.ScopeWindow}, false},
		{"be out of order", n.Outage, ports.KindTransient, nil, true},
	} {
		if c.provoke == nil {
			t.Logf("skipped: the harness cannot %s", c.name)
			continue
		}
		checked = true
		attempts, accepted := n.Attempts(), len(n.Accepted())
		c.provoke()
		_, err := n.Messenger.Send(t.Context(), textTo(messengerContact, messengerSecret))
		if err == nil {
			t.Errorf("%s: got no error", c.name)
			continue
		}
		checkDiscreet(t, err)
		var e *ports.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: the error is no ports.Error: %T", c.name, err)
			continue
		}
		if c.kind != "" && e.Kind != c.kind {
			t.Errorf("%s: got kind %q, want %q", c.name, e.Kind, c.kind)
		}
		if ports.Retryable(err) != c.retryable || e.MaybeDone {
			t.Errorf("%s: retryable %t, MaybeDone %t; want %t and false", c.name, ports.Retryable(err), e.MaybeDone, c.retryable)
		}
		if c.scope != nil && !slices.Contains(c.scope, e.Scope) {
			t.Errorf("%s: got scope %q, want one of %q", c.name, e.Scope, c.scope)
		}
		if e.Kind == ports.KindRateLimited && e.RetryAfter <= 0 {
			t.Errorf("%s: no word on when to try again", c.name)
		}
		checkTraffic(t, n, attempts+1, accepted)
	}
	needNetwork(t, checked, "refuse a send")
}

func refusedClip(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.RejectMedia != nil, "refuse a clip")
	n.RejectMedia()
	_, err := n.Messenger.Send(t.Context(), voiceTo(t, messengerContact))
	wantSendKind(t, err, ports.KindUnsupported)
	var e *ports.Error
	if errors.As(err, &e) && e.Scope != ports.ScopeMedia {
		t.Errorf("got scope %q, want %q: the words may still go through", e.Scope, ports.ScopeMedia)
	}
	if len(n.Accepted()) != 0 {
		t.Error("the voice note was taken all the same")
	}
}

func sendAfterAFailure(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.Outage != nil, "be out of order")
	n.Outage()
	if _, err := n.Messenger.Send(t.Context(), textTo(messengerContact, "first")); err == nil {
		t.Error("got no error from a network that is out of order")
	}
	if _, err := n.Messenger.Send(t.Context(), textTo(messengerContact, "second")); err != nil {
		t.Errorf("the send after the outage failed: %v", err)
	}
	checkTraffic(t, n, 2, 1)
}

func endedContextSendsNothing(t *testing.T, n MessengerNetwork) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.Messenger.Send(ctx, textTo(messengerContact, messengerSecret))
	wantSendKind(t, err, ports.KindCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Error("the error does not lead to context.Canceled")
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = n.Messenger.Send(late, textTo(messengerContact, messengerSecret))
	wantSendKind(t, err, ports.KindTimeout)
	_, err = n.Messenger.Send(late, voiceTo(t, messengerContact))
	wantSendKind(t, err, ports.KindTimeout)
	_, err = n.Messenger.FetchMedia(late, domain.MediaRef{ID: "1", Number: messengerNumber})
	wantSendKind(t, err, ports.KindTimeout)
	checkTraffic(t, n, 0, 0)
}

func cancelWhileWaiting(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.Hang != nil, "leave a send unanswered")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached := n.Hang()
	result := make(chan error, 1)
	go func() {
		_, err := n.Messenger.Send(ctx, textTo(messengerContact, messengerSecret))
		result <- err
	}()
	<-reached
	cancel()
	err := <-result
	wantSendKind(t, err, ports.KindCanceled)
	if !ports.MaybeDone(err) {
		t.Error("the network has the message, and the error does not say so")
	}
	checkTraffic(t, n, 1, 1)
}

func deadlineWhileWaiting(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.Hang != nil, "leave a send unanswered")
	// The deadline is far enough for a message to leave on a slow machine; where
	// even that fails, nothing is known to have left.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	n.Hang()
	_, err := n.Messenger.Send(ctx, textTo(messengerContact, messengerSecret))
	wantSendKind(t, err, ports.KindTimeout)
	if len(n.Accepted()) > 0 && !ports.MaybeDone(err) {
		t.Error("the network has the message, and the error does not say so")
	}
	if n.Attempts() > 1 {
		t.Error("the message was sent again")
	}
}
