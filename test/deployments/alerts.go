package deployments

import (
	"regexp"
	"strings"
)

// Where the events of the log are promised, and what to do about an alert.
const (
	eventsPage  = "docs/observability.md"
	runbookPage = "docs/runbook.md"
)

var (
	askedEvent  = regexp.MustCompile(`jsonPayload\.event=\\"([^"\\]*)\\"`)
	askedWithin = regexp.MustCompile(`jsonPayload\.(\w+)[!=]`)
	ledTo       = regexp.MustCompile(`docs/runbook\.md, \\"([^"\\]*)\\"`)
)

// checkAlerts wants what the alerts of Cloud Monitoring listen for to be what the bot
// says, and each to lead to a section of the runbook: a filter that matches nothing is
// a silent alert.
func (m module) checkAlerts(files Files, faults *Faults) {
	const file = terraformFolder + "monitoring.tf"
	text := files[file]
	_, table, ok := strings.Cut(files[eventsPage], "| about | event | when |")
	faults.want(ok, eventsPage, "has no table of events")
	events := askedEvent.FindAllStringSubmatch(text, -1)
	faults.want(len(events) >= 4, file, "listens for %d events", len(events))
	for _, e := range events {
		faults.want(strings.Contains(table, "`"+e[1]+"`"), file, "%s is no event of the bot", e[1])
	}
	for _, key := range askedWithin.FindAllStringSubmatch(text, -1) {
		switch key[1] {
		case "event", "detail", "budget":
		default:
			faults.add(file, "the events that are asked for have no %s", key[1])
		}
	}
	sections := ledTo.FindAllStringSubmatch(text, -1)
	faults.want(len(sections) >= len(m.alertPolicies()), file, "%d alerts lead to %d sections of the runbook", len(m.alertPolicies()), len(sections))
	for _, s := range sections {
		title := strings.ReplaceAll(s[1], "/ready is red", "`/ready` is red")
		faults.want(strings.Contains(files[runbookPage], "## "+title+"\n"), file, "the runbook has no section %q", s[1])
	}
}

// alertPolicies are the resources that alert; one may stand for several alerts.
func (m module) alertPolicies() (ids []string) {
	for id := range m.resources {
		if strings.HasPrefix(id, "google_monitoring_alert_policy.") {
			ids = append(ids, id)
		}
	}
	return ids
}
