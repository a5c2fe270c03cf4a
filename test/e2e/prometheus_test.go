package e2e_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"whatsappnode/test/simulator"
)

const (
	dashboardFile = "../../deployments/grafana/dashboard.json"
	alertsFile    = "../../deployments/prometheus/alerts.yaml"
	runbookFile   = "../../docs/runbook.md"
)

// query is a PromQL expression and where it stands.
type query struct{ where, expr string }

// dashboardQueries are those of every panel, with Grafana's own variables filled in.
func dashboardQueries(t *testing.T) (out []query) {
	t.Helper()
	raw, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var d struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &d))
	for _, p := range d.Panels {
		require.True(t, p.Type == "row" || len(p.Targets) > 0, p.Title)
		for _, target := range p.Targets {
			out = append(out, query{p.Title, strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")})
		}
	}
	require.Greater(t, len(out), 30)
	return out
}

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) (out []alert) {
	t.Helper()
	raw, err := os.ReadFile(alertsFile)
	require.NoError(t, err)
	var f struct{ Groups []struct{ Rules []alert } }
	require.NoError(t, yaml.Unmarshal(raw, &f))
	for _, g := range f.Groups {
		out = append(out, g.Rules...)
	}
	require.Greater(t, len(out), 10)
	return out
}

// unknown lists the metrics of an expression, and the labels it asks of each, that a
// scrape does not have.
func unknown(expr string, s scraped) (faults []string, err error) {
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		known := map[string]bool{}
		for series := range s {
			name, rest, _ := strings.Cut(series, "{")
			if strings.TrimPrefix(v.Name, "whatsapp_node_") != name {
				continue
			}
			known[labels.MetricName] = true
			for _, m := range labelName.FindAllStringSubmatch(rest, -1) {
				known[m[1]] = true
			}
		}
		for _, m := range append(v.LabelMatchers, &labels.Matcher{Name: labels.MetricName}) {
			if !known[m.Name] {
				faults = append(faults, v.Name+" "+m.Name)
			}
		}
		return nil
	})
	return faults, nil
}

var labelName = regexp.MustCompile(`(\w+)="`)

// TestEveryAlertHasItsPage: a rule says how urgent it is and what to do, and the
// runbook has a section for each rule and for nothing else.
func TestEveryAlertHasItsPage(t *testing.T) {
	runbook, err := os.ReadFile(runbookFile)
	require.NoError(t, err)
	_, pages, ok := strings.Cut(string(runbook), "\n## Alerts\n")
	require.True(t, ok)
	var sections, names []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)\n\n(\S.*)$`).FindAllStringSubmatch(pages, -1) {
		sections = append(sections, m[1])
	}
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		assert.Contains(t, []string{"page", "ticket"}, a.Labels["severity"], a.Alert)
		assert.NotEmpty(t, a.Annotations["summary"], a.Alert)
		assert.Equal(t, "docs/runbook.md#"+strings.ToLower(a.Alert), a.Annotations["runbook_url"])
	}
	assert.ElementsMatch(t, names, sections)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names))
}

// busy is a bot that has met success and most kinds of trouble, twice.
func busy(t *testing.T) (b *bot, again func()) {
	t.Helper()
	env, _ := withTools(t)
	b = start(t, env, settings{"ADMIN_ADDR": freeAddress(t), "FAKE_KNOBS": "error=transient:2", "VENDOR_ATTEMPTS": "2", "REPLY_MODE": "voice"})
	b.logs("tools.up", 1)
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	for range 3 { // the ear and the voice fail, each in its turn
		ana.speaks(recording(t, "hello"))
		ana.gets()
	}
	refused := 0
	round := func() {
		ana.writes("how much is the umbrella")
		ana.gets()
		ana.speaks(recording(t, "hello"))
		note := ana.gets()
		require.NoError(t, b.sim.MarkPlayed(ana.id, note.ID))
		refused++
		b.faults(func(f *simulator.Faults) {
			f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: 131026, Times: 1}
		})
		ana.writes("and now")
		b.wait(t, "the send is refused", func(v simulator.Snapshot) bool { return v.Counts().Refused == refused })
		b.idle()
	}
	round()
	return b, round
}

// TestDashboardAndAlertsKnowTheirMetrics reads both and compares every name and label
// with what a running bot serves.
func TestDashboardAndAlertsKnowTheirMetrics(t *testing.T) {
	t.Parallel()
	b, _ := busy(t)
	var s scraped
	eventually(t, "the figures are complete", func() bool {
		s = b.scrape(t)
		return s[`turns_total{outcome="failed"}`] == 1 && s[`deliveries_total{state="played"}`] == 1
	})
	check := func(q query) {
		faults, err := unknown(q.expr, s)
		assert.NoError(t, err, "%s: %s", q.where, q.expr)
		assert.Empty(t, faults, "%s: %s", q.where, q.expr)
	}
	for _, q := range dashboardQueries(t) {
		check(q)
	}
	for _, a := range alerts(t) {
		check(query{a.Alert, a.Expr})
	}

	// The check itself: misspelt names and labels are found.
	for _, planted := range []string{"whatsapp_node_queue_message", `whatsapp_node_turns_total{outcom="x"}`, "sum(rate(whatsapp_node_webhook_ack_seconds[5m]))"} {
		faults, err := unknown(planted, s)
		require.NoError(t, err)
		assert.NotEmpty(t, faults, planted)
	}
	_, err := unknown("sum(", s)
	assert.Error(t, err)
}

// prometheus runs a real server that scrapes a bot and knows the alerts.
func prometheus(t *testing.T, b *bot) (addr string) {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	rules, err := filepath.Abs(alertsFile)
	require.NoError(t, err)
	config := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\nrule_files: [%q]\n"+
		"scrape_configs:\n  - job_name: bot\n    static_configs: [{targets: [%q]}]\n", rules, b.env["ADMIN_ADDR"])
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	require.NoError(t, cmd.Start(), "the Debian package prometheus is needed: .ci/packages test")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "prometheus is ready", func() bool {
		resp, err := b.client.Get("http://" + addr + "/-/ready")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == 200
	})
	return addr
}

// asked is the number of series an expression has, and whether one of them is a
// number.
func (b *bot) asked(t *testing.T, addr, expr string) (series int, number bool) {
	t.Helper()
	r := b.get(t, "http://"+addr+"/api/v1/query?query="+url.QueryEscape(expr))
	require.Equal(t, 200, r.code, "%s: %s", expr, r.body)
	var a struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	require.NoError(t, json.Unmarshal([]byte(r.body), &a))
	for _, one := range a.Data.Result {
		text, _ := one.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		number = number || !math.IsNaN(v)
	}
	return len(a.Data.Result), number
}

// TestPrometheusShowsTheDashboard: a real server scrapes a bot that answers, every
// query of the dashboard has data, and the rules are evaluated and fire.
func TestPrometheusShowsTheDashboard(t *testing.T) {
	t.Parallel()
	b, again := busy(t)
	addr := prometheus(t, b)
	eventually(t, "it has scraped", func() bool {
		n, _ := b.asked(t, addr, `whatsapp_node_turns_total{outcome="failed"} == 1`)
		return n == 1
	})
	again() // so that there is a rate
	eventually(t, "it has scraped what followed", func() bool {
		n, _ := b.asked(t, addr, `whatsapp_node_turns_total{outcome="failed"} == 2 and on () whatsapp_node_deliveries_total{state="played"} == 2`)
		return n == 1
	})
	for _, q := range dashboardQueries(t) {
		eventually(t, q.where+": "+q.expr+" has data", func() bool {
			_, number := b.asked(t, addr, q.expr)
			return number
		})
	}

	firing := func() map[string]bool {
		r := b.get(t, "http://"+addr+"/api/v1/rules")
		var a struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, State, Health, LastError string }
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(r.body), &a))
		out, known := map[string]bool{}, 0
		for _, g := range a.Data.Groups {
			for _, rule := range g.Rules {
				require.Empty(t, rule.LastError, rule.Name)
				known++
				if rule.State == "firing" {
					out[rule.Name] = true
				}
			}
		}
		require.Equal(t, len(alerts(t)), known)
		return out
	}
	assert.Empty(t, firing(), "nothing that has happened so far is worth an alert")
	b.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient["34600333444"] = simulator.RecipientError{Code: 190, Times: 1}
	})
	b.user(t, simulator.UserSpec{Name: "Luis", Phone: "34600333444"}).writes("hello")
	eventually(t, "the refused token fires", func() bool { return firing()["TokenRefused"] })
}
