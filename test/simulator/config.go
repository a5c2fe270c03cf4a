package simulator

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MetaRetries are the waits before each delivery try of one webhook in production: at once, then with decreasing
// frequency; the last wait repeats until Config.RetryFor has passed. Meta publishes "up to 7 days" and no table.
func MetaRetries() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour,
		2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	}
}

// FastRetries is the same idea on a scale for tests: after half a second in all it tries every second without end.
func FastRetries() []time.Duration {
	return []time.Duration{
		0, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
		500 * time.Millisecond, time.Second,
	}
}

// Config says who the simulated business is and how large the simulator may grow. The zero value of every field but
// WebhookURL, VerifyToken and LogPath is replaced by a default; Simulator.Config returns what is in force.
type Config struct {
	BusinessName  string // shown on the page
	DisplayPhone  string // digits, no plus sign; its country code is what Meta prepends to a `to` without plus
	PhoneNumberID string // the id in the path of the messages and media endpoints
	WABAID        string // entry[].id of every webhook

	AppID       string // of the app that the access token belongs to
	AccessToken string // what the bot must send as bearer token
	AppSecret   string // key of X-Hub-Signature-256
	VerifyToken string // hub.verify_token of the GET handshake

	// WebhookFields are what the app says that it is subscribed to; every webhook is delivered all the same. Default: all
	// that the simulator sends.
	WebhookFields []string
	OnBizApp      bool // people use the number in the WhatsApp Business app, too

	WebhookURL string // where webhooks go; while it is empty they wait
	BaseURL    string // what media URLs start with; empty: the host of the request that asks, and no `url` in webhooks

	// Clock gives protocol time: timestamps, the 24-hour window, expiry of media, rate limits. Waiting (retries,
	// delays, typing) is real time and not this clock. Default time.Now.
	Clock func() time.Time
	// RetrySchedule holds the wait before the first, second ... delivery try; the last one repeats. Default MetaRetries.
	RetrySchedule  []time.Duration
	RetryFor       time.Duration // a webhook that got no 200 for so long is dropped; default 7 days
	WebhookTimeout time.Duration // for one delivery try; Meta publishes none; default 10 s
	Faults         *Faults       // default DefaultFaults
	Seed           uint64        // of every random choice: fault rolls, ids, made-up phone numbers
	Notices        []string      // plain sentences the page shows at the top

	// LogPath names a file that receives every log entry as a JSON line, appended. An accepted send is in the file, and
	// fsynced, before it is answered. Empty: memory only.
	LogPath string

	// UnknownRecipientCode answers a send to a number that is no user here: 131026 (default), or 131030 as Meta's test
	// numbers do.
	UnknownRecipientCode int

	MaxInFlightWebhooks int   // delivery tries at the same time; default 32
	MaxUsers            int   // default 20,000
	MaxMessages         int   // kept in both directions, oldest forgotten first; default 400,000
	MaxQueued           int   // webhooks waiting for delivery; default 400,000
	MaxMediaBytes       int64 // of all media together, oldest forgotten first; default 256 MiB
	MaxLogEntries       int   // kept in memory, oldest forgotten first; default 200,000
}

// The bounds nobody needed to turn yet.
const (
	maxTimeline     = 1000 // entries shown on the page
	maxEvents       = 4096 // server-sent events kept for a page that reconnects
	maxRedeliveries = 20_000
	maxTurnsTimed   = 4096
	maxGraphBody    = 1 << 20
)

func (c Config) withDefaults() (Config, error) {
	str := func(p *string, def string) {
		if *p == "" {
			*p = def
		}
	}
	num := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
	}
	str(&c.BusinessName, "Demo Business")
	str(&c.DisplayPhone, "15550100200")
	str(&c.PhoneNumberID, "106500000000001")
	str(&c.WABAID, "109900112233445")
	str(&c.AppID, "220300000000001")
	if c.WebhookFields == nil {
		c.WebhookFields = []string{"messages", "smb_message_echoes", "message_echoes"}
	}
	str(&c.AccessToken, "simulated-access-token")
	str(&c.AppSecret, "simulated-app-secret")
	num(&c.UnknownRecipientCode, codeUndeliverable)
	num(&c.MaxInFlightWebhooks, 32)
	num(&c.MaxUsers, 20_000)
	num(&c.MaxMessages, 400_000)
	num(&c.MaxQueued, 400_000)
	num(&c.MaxLogEntries, 200_000)
	if c.MaxMediaBytes == 0 {
		c.MaxMediaBytes = 256 << 20
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if len(c.RetrySchedule) == 0 {
		c.RetrySchedule = MetaRetries()
	}
	c.RetrySchedule = slices.Clone(c.RetrySchedule)
	c.Notices = slices.Clone(c.Notices)
	if c.RetryFor == 0 {
		c.RetryFor = 7 * 24 * time.Hour
	}
	if c.WebhookTimeout == 0 {
		c.WebhookTimeout = 10 * time.Second
	}
	if c.Faults == nil {
		f := DefaultFaults()
		c.Faults = &f
	}
	c.DisplayPhone = strings.TrimPrefix(c.DisplayPhone, "+")
	return c, c.validate()
}

func (c Config) validate() error {
	var errs []error
	if !isPhone(c.DisplayPhone) {
		errs = append(errs, errors.New("DisplayPhone must be 7 to 15 digits"))
	}
	for _, u := range []string{c.WebhookURL, c.BaseURL} {
		if err := checkURL(u); err != nil {
			errs = append(errs, err)
		}
	}
	for name, n := range map[string]int{
		"MaxInFlightWebhooks": c.MaxInFlightWebhooks, "MaxUsers": c.MaxUsers,
		"MaxMessages": c.MaxMessages, "MaxQueued": c.MaxQueued, "MaxLogEntries": c.MaxLogEntries,
	} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("%s must be positive", name))
		}
	}
	if c.MaxMediaBytes < 1 || c.RetryFor < 0 || c.WebhookTimeout < 0 {
		errs = append(errs, errors.New("MaxMediaBytes, RetryFor and WebhookTimeout must be positive"))
	}
	if c.UnknownRecipientCode != codeUndeliverable && c.UnknownRecipientCode != codeNotAllowed {
		errs = append(errs, errors.New("UnknownRecipientCode must be 131026 or 131030"))
	}
	for _, d := range c.RetrySchedule {
		if d < 0 {
			errs = append(errs, errors.New("RetrySchedule must not hold negative waits"))
			break
		}
	}
	if err := c.Faults.validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkURL accepts the empty string and absolute http(s) addresses.
func checkURL(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("an address must be absolute and http or https")
	}
	return nil
}
