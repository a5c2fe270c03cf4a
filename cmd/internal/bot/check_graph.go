package bot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// graph asks Meta about each business number with the number's own token.
func (c *checker) graph() []task {
	var out []task
	client := c.shop.connections.Client(c.cfg.WhatsApp.GraphBaseURL)
	for _, a := range c.all {
		out = append(out, func(ctx context.Context) []finding {
			f := finding{Check: "graph", Subject: a.name}
			number, numberVar := a.number, "phone_number_id in AGENTS_FILE"
			if number == "" {
				number, numberVar = domain.NumberID(c.cfg.WhatsApp.PhoneNumberID), "WHATSAPP_PHONE_NUMBER_ID"
			}
			tokenVar := a.variable(varAccessToken)
			switch {
			case a.token.Current() == "":
				f.skip("not tried: "+tokenVar+" is not set", "set "+tokenVar)
			case number == "":
				f.skip("not tried: "+numberVar+" is not set", "set "+numberVar)
			case c.faulty("GRAPH_BASE_URL", "GRAPH_API_VERSION", "MEDIA_HOSTS"):
				f.skip("not tried: the address of the Graph API is wrong", "correct the settings above first")
			default:
				f = c.timed(ctx, f, func(ctx context.Context, f *finding) { c.lookUp(ctx, f, client, a, number, tokenVar, numberVar) })
			}
			return []finding{f}
		})
	}
	return out
}

func (c *checker) lookUp(ctx context.Context, f *finding, client *http.Client, a agent, number domain.NumberID, tokenVar, numberVar string) {
	m, err := whatsapp.New(whatsapp.Config{
		AccessToken: a.token.Current, PhoneNumberID: number, BaseURL: c.cfg.WhatsApp.GraphBaseURL,
		APIVersion: c.cfg.WhatsApp.GraphVersion, MediaHosts: c.cfg.WhatsApp.MediaHosts, MaxMediaBytes: int64(c.cfg.WhatsApp.MaxMedia),
	}, client)
	if err != nil {
		f.fail(err.Error(), "correct GRAPH_BASE_URL, GRAPH_API_VERSION or MEDIA_HOSTS")
		return
	}
	n, err := m.LookUp(ctx, number)
	if err != nil {
		f.fail(err.Error(), graphToDo(err, tokenVar, numberVar))
		return
	}
	detail := "token accepted; the number " + ending(n.Display)
	if n.Quality != "" {
		detail += ", quality " + n.Quality
	}
	if n.Throughput != "" {
		detail += ", throughput " + n.Throughput
	}
	switch {
	case n.Platform != "" && n.Platform != "CLOUD_API":
		f.warn(detail+", platform "+n.Platform, "register the number of "+numberVar+" with the Cloud API; it cannot send before")
	case n.Quality == "RED":
		f.warn(detail, "look at what the number sends: users block it, and Meta may lower its limits")
	default:
		f.ok(detail)
	}
	c.subscriptions(ctx, f, m, a, n)
}

// ending shows the last four digits of a phone number and no other.
func ending(display string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, display)
	if len(digits) < 7 { // the ending of so short a number would be most of it
		return "is there"
	}
	return "ends in " + digits[len(digits)-4:]
}

// graphToDo names the setting that mends a refusal of Meta's.
func graphToDo(err error, tokenVar, numberVar string) string {
	switch ports.KindOf(err) {
	case ports.KindDenied:
		return fmt.Sprintf("put a token of a system user into %s that has not expired and has the permission whatsapp_business_messaging for this account", tokenVar)
	case ports.KindNotFound, ports.KindInvalid:
		return fmt.Sprintf("correct %s: it is the id of the number, not the number itself; or give the user of %s access to its account", numberVar, tokenVar)
	case ports.KindRateLimited:
		return "wait; Meta limits how often the account may ask"
	}
	return "see that this machine can reach GRAPH_BASE_URL: name resolution, firewall, HTTPS_PROXY; or that Meta has no outage"
}

// variable is the one that holds a secret of the agent, given the standard one.
func (a agent) variable(standard string) string {
	secrets := []string{varAccessToken, varAppSecret, varVerifyToken}
	if len(a.named) != len(secrets) {
		return standard
	}
	return a.named[slices.Index(secrets, standard)]
}
