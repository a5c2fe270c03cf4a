package googletts

import (
	"context"

	"whatsappnode/adapters/googlecloud"
	"whatsappnode/ports"
)

// failure turns the error of a call into an Error.
func failure(ctx context.Context, err error) error {
	return googlecloud.Failure(ctx, op, err, judge)
}

func judge(sentence string) ports.Kind {
	switch {
	case googlecloud.HasAny(sentence, policies):
		return ports.KindBlocked
	case googlecloud.HasAny(sentence, refusals):
		return ports.KindUnsupported
	}
	return ""
}

// policies are words by which the service refuses to say something, in lower case.
var policies = []string{"harmful", "safety", "usage guidelines", "content policy", "prohibited"}

// refusals are words by which the service says that a text is too long or that it
// has no such voice or language. The status is InvalidArgument for a wrong request
// too, and nothing but the sentence tells them apart.
var refusals = []string{
	"too long", "longer than the limit", "exceeds the limit", // a text, or one sentence of it
	"voice", "language",
}
