package googletts

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"golang.org/x/text/language"
	"google.golang.org/api/option"

	"whatsappnode/adapters/googlecloud"
)

const (
	// DefaultHost serves every voice, wherever it is; a location puts its name before it.
	DefaultHost = "texttospeech.googleapis.com"
	// DefaultLanguage is spoken when neither the call nor Config names one.
	DefaultLanguage = "en-US"
)

// Config is where and how to speak. The zero value is usable on Google Cloud.
type Config struct {
	// Voices are Google's names of voices ("de-DE-Chirp3-HD-Aoede") by BCP 47 tag. A
	// language without a voice of its own takes one of the same language in another
	// region, and without that whatever Google chooses.
	Voices map[string]string
	// Language is the BCP 47 tag for calls that name none; empty means DefaultLanguage.
	Language string
	// Location keeps the sound in a region ("eu", "us"); empty and "global" do not.
	Location string
	// Endpoint replaces the address that Location gives: "host:port" or
	// "https://host" is TLS, "http://host:port" is neither encrypted nor authenticated
	// and meant for servers of tests.
	Endpoint string
	// Options are added to the client's, for credentials other than the application
	// default ones. Later options win.
	Options []option.ClientOption
}

var (
	locationPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	voicePattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
)

// plan is a Config with nothing left open.
type plan struct {
	voices   voices
	language language.Tag
	address  googlecloud.Address
}

// plan fills in the defaults and lists every fault.
func (c Config) plan() (plan, error) {
	var (
		p      plan
		faults []error
		err    error
		ok     bool
	)
	tag := c.Language
	if tag == "" {
		tag = DefaultLanguage
	}
	if p.language, ok = parseTag(tag); !ok {
		faults = append(faults, fmt.Errorf("the language %q is no BCP 47 tag", tag))
	}
	for _, tag := range slices.Sorted(maps.Keys(c.Voices)) {
		t, ok := parseTag(tag)
		switch name := c.Voices[tag]; {
		case !ok:
			faults = append(faults, fmt.Errorf("the language %q of a voice is no BCP 47 tag", tag))
		case !voicePattern.MatchString(name):
			faults = append(faults, fmt.Errorf("the voice %q for %s is no name of a voice", name, tag))
		default:
			p.voices = append(p.voices, voice{tag: t, name: name})
		}
	}
	endpoint := c.Endpoint
	switch {
	case c.Location != "" && !locationPattern.MatchString(c.Location):
		faults = append(faults, fmt.Errorf("the location %q is none; examples are us and eu", c.Location))
	case endpoint != "":
	case c.Location == "" || c.Location == "global":
		endpoint = DefaultHost
	default:
		endpoint = c.Location + "-" + DefaultHost
	}
	if endpoint != "" {
		if p.address, err = googlecloud.ParseEndpoint(endpoint); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return plan{}, fmt.Errorf("googletts: %w", errors.Join(faults...))
	}
	return p, nil
}
