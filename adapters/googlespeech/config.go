package googlespeech

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/option"

	"whatsappnode/adapters/googlecloud"
)

// The versions of the API.
const (
	V2 = "v2"
	V1 = "v1"
)

// What Config's zero values mean.
const (
	// DefaultModel hears with version 2. It is not served in the location "global".
	DefaultModel = "chirp_3"
	// DefaultLocation is where version 2 hears.
	DefaultLocation = "us"
	// DefaultHost serves the location "global"; the others put their name before it.
	DefaultHost = "speech.googleapis.com"
	// DefaultPace lets a clip of two minutes go out in half a minute.
	DefaultPace = 4
)

const (
	global = "global"
	// anyLanguage makes version 2 find out the language.
	anyLanguage = "auto"
	// noRecognizer names a recognizer without settings of its own.
	noRecognizer = "_"
)

// Config is where and how to hear. The zero value of a field is its default; only
// version 2 needs one, Project (or Recognizer as a whole path).
type Config struct {
	// API is V2 (the default) or V1.
	API string
	// Project is the id of the Google Cloud project; version 1 does not use it.
	Project string
	// Location is where the sound is processed: "us", "eu", "asia-southeast1" and so on;
	// empty means DefaultLocation for version 2 and "global" for version 1.
	Location string
	// Recognizer is the id of a recognizer of version 2, or its whole path; empty means
	// none. A recognizer's own model and languages hold where Model and Languages, and
	// the call, say nothing.
	Recognizer string
	// Model is empty for DefaultModel with version 2, and with version 1 for
	// "latest_short" or "latest_long", by the clip's length.
	Model string
	// Languages are the BCP 47 tags that may be spoken, for calls that name none.
	// Empty makes version 2 find out the language; version 1 cannot, and needs one.
	Languages []string
	// Endpoint replaces the address that Location gives: "host:port" or
	// "https://host" is TLS, "http://host:port" is neither encrypted nor authenticated
	// and meant for servers of tests.
	Endpoint string
	// Pace is how many seconds of a long clip are sent each second; 0 means
	// DefaultPace. Google asks for about 1 and is not known to insist: a stream that it
	// finds too fast ends in an error.
	Pace float64
	// Options are added to the client's, for credentials other than the application
	// default ones. Later options win.
	Options []option.ClientOption
}

// plan is a Config with nothing left open.
type plan struct {
	version2   bool
	recognizer string // whole path
	model      string // empty: by the clip's length, or the recognizer's
	languages  []string
	address    googlecloud.Address
	pace       float64
}

var (
	idPattern         = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,100}$`)
	recognizerPattern = regexp.MustCompile(`^projects/([A-Za-z0-9_.:-]+)/locations/([a-z0-9-]+)/recognizers/([A-Za-z0-9_-]+)$`)
	locationPattern   = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
)

// plan fills in the defaults and lists every fault.
func (c Config) plan() (plan, error) {
	p := plan{version2: c.API != V1, model: c.Model, pace: c.Pace}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if c.API != "" && c.API != V1 && c.API != V2 {
		fault("the API version %q is unknown, known are %s and %s", c.API, V2, V1)
	}
	location := c.Location
	if p.version2 {
		var err error
		if p.recognizer, location, err = c.path(); err != nil {
			faults = append(faults, err)
		}
	}
	if location == "" {
		location = global
	}
	if !locationPattern.MatchString(location) {
		fault("the location %q is none; examples are us, eu and asia-southeast1", location)
	}
	named := p.version2 && p.recognizer != "" && !hasNoRecognizer(p.recognizer)
	if p.model == "" && p.version2 && !named {
		p.model = DefaultModel
	}
	for _, tag := range c.Languages {
		t, ok := googleTag(tag, p.version2)
		if !ok {
			fault("the language %q is no BCP 47 tag", tag)
		} else if !slices.Contains(p.languages, t) {
			p.languages = append(p.languages, t)
		}
	}
	if len(c.Languages) == 0 {
		switch {
		case !p.version2:
			fault("version 1 of the API cannot find out the language: name at least one")
		case !named:
			p.languages = []string{anyLanguage}
		}
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = host(location)
	}
	var err error
	if p.address, err = googlecloud.ParseEndpoint(endpoint); err != nil {
		faults = append(faults, err)
	}
	switch {
	case c.Pace < 0 || c.Pace != c.Pace:
		fault("the pace of streams is not above 0")
	case c.Pace == 0:
		p.pace = DefaultPace
	}
	if len(faults) > 0 {
		return plan{}, fmt.Errorf("googlespeech: %w", errors.Join(faults...))
	}
	return p, nil
}

// path is the whole path of the recognizer, and its location.
func (c Config) path() (recognizer, location string, err error) {
	if m := recognizerPattern.FindStringSubmatch(c.Recognizer); m != nil {
		if c.Location != "" && c.Location != m[2] {
			return "", m[2], fmt.Errorf("the recognizer is in the location %q and not in %q", m[2], c.Location)
		}
		if c.Project != "" && c.Project != m[1] {
			return "", m[2], fmt.Errorf("the recognizer belongs to the project %q and not to %q", m[1], c.Project)
		}
		return c.Recognizer, m[2], nil
	}
	location, id := c.Location, c.Recognizer
	if location == "" {
		location = DefaultLocation
	}
	if id == "" {
		id = noRecognizer
	}
	switch {
	case !idPattern.MatchString(id):
		return "", location, fmt.Errorf("the recognizer %q is neither an id nor projects/P/locations/L/recognizers/R", id)
	case c.Project == "":
		return "", location, errors.New("the Google Cloud project is missing")
	case !idPattern.MatchString(c.Project):
		return "", location, fmt.Errorf("the project %q is no project id", c.Project)
	}
	return "projects/" + c.Project + "/locations/" + location + "/recognizers/" + id, location, nil
}

func hasNoRecognizer(path string) bool {
	return strings.HasSuffix(path, "/"+noRecognizer)
}

// host is where a location is served.
func host(location string) string {
	if location == global {
		return DefaultHost
	}
	return location + "-" + DefaultHost
}
