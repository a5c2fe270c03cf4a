// Package metrics counts and times what the bot does, for Prometheus.
//
// Every name begins with whatsapp_node_ and carries its unit. Labels are words of the
// program: stages, vendors, outcomes, Meta's error codes. Nothing about a person, a
// message or an account is ever one, so the number of series is bounded by the
// settings. docs/observability.md lists all of them; the alerts and the dashboard in
// deployments/ are checked against a live scrape.
package metrics
