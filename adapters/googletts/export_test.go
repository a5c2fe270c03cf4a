package googletts

import (
	"context"
	"time"
)

// For the tests of this package.
var LanguageOf = languageOf

// GoogleTag writes a tag as Google knows it; it is empty for what is no tag.
func GoogleTag(tag string) string {
	t, ok := parseTag(tag)
	if !ok {
		return ""
	}
	return googleTag(t)
}

// Target is the address that a configuration leads to.
func Target(c Config) (target string, plain bool, err error) {
	p, err := c.plan()
	return p.address.Target, p.address.Plain, err
}

// OwnDeadline is how long a call without a deadline may take.
func OwnDeadline() time.Duration {
	ctx, cancel := bounded(context.Background())
	defer cancel()
	at, _ := ctx.Deadline()
	return time.Until(at)
}
