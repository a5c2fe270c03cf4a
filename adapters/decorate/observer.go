package decorate

import (
	"context"
	"time"

	"whatsappnode/ports"
)

// Observer is told what LLM, STT and TTS do. The functions get the context of the
// call, from which they may take a trace or a turn. They must return at once, must
// not panic, and may be called concurrently; nil ones are not called.
type Observer struct {
	// OnCall is told of each attempt that reached a provider, when it has ended.
	OnCall func(ctx context.Context, call Call)
	// OnSwitch is told each time another provider is asked. None is ever asked in
	// secret.
	OnSwitch func(ctx context.Context, s Switch)
}

// Call measures one attempt at one provider. It holds no words.
type Call struct {
	Provider, Operation string
	// Attempt counts from 1, for this provider in this call.
	Attempt int
	// Hedge marks an attempt that was made while another provider was at it too.
	Hedge bool
	// Took is the time to the end, of a model to its last word.
	Took time.Duration
	// FirstToken is the time to a model's first words, or zero when none came.
	FirstToken time.Duration
	// Kind is empty for a success. KindCanceled is an attempt that was not waited
	// for, such as the loser of a hedge, and may be billed.
	Kind ports.Kind
	// Err is the failure, or nil; its text is safe to log.
	Err error
	// Characters are what a voice was asked to say or a model has answered.
	Characters int
	// AudioBytes and Audio measure the clip that was heard or spoken; Audio is zero
	// when its length is not known.
	AudioBytes int
	Audio      time.Duration
	// Usage are the model's tokens as the vendor counts them; zero where it does not
	// say.
	Usage ports.LLMUsage
}

// Switch says that To is asked after, or beside, From.
type Switch struct {
	Operation, From, To string
	// Kind and Err are the failure of From. They are empty for a hedge, where From
	// goes on and is only slow.
	Kind  ports.Kind
	Err   error
	Hedge bool
}

func (o Observer) called(ctx context.Context, c Call) {
	if o.OnCall != nil {
		o.OnCall(ctx, c)
	}
}

func (o Observer) switched(ctx context.Context, s Switch) {
	if o.OnSwitch != nil {
		o.OnSwitch(ctx, s)
	}
}
