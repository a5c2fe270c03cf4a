package googlespeech

import (
	"context"
	"errors"

	"whatsappnode/adapters/googlecloud"
	"whatsappnode/ports"
)

// failure turns the error of a call into an Error.
func failure(ctx context.Context, err error) error {
	if ctx.Err() == nil && (errors.Is(err, errCut) || errors.Is(err, errLong)) {
		return &ports.Error{Op: op, Kind: ports.KindTransient, Err: err}
	}
	return googlecloud.Failure(ctx, op, err, judge)
}

func judge(sentence string) ports.Kind {
	switch {
	case googlecloud.HasAny(sentence, refusals):
		return ports.KindUnsupported
	case googlecloud.HasAny(sentence, slowness):
		return ports.KindTransient
	}
	return ""
}

// refusals are words by which the service says that a clip is too long or in a
// format or language it cannot hear, in lower case. The status is InvalidArgument
// for a wrong request too, and nothing but the sentence tells them apart.
var refusals = []string{
	"too long", "maximum of 60 seconds", "longer than", "exceeds the limit", "maximum allowed stream duration", // length
	"supported encoding", "bad encoding", "invalid audio", "sample rate", // format
	"too fast", // a stream that is sent faster than the service likes; the same again would be too
	"language", // "is not supported by the model", "bad language code", "not supported for language"
}

// slowness are words by which a stream ends because the sound came too slowly.
var slowness = []string{"audio timeout", "without audio"}
