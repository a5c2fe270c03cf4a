package deployments_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const imageName = "gcr.io/example/whatsapp-node@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// cloud is a gcloud that writes down what it was asked and answers what a test says, and
// a curl that reaches the candidate's address at a server of the test.
type cloud struct {
	t   *testing.T
	dir string
	env []string
}

func newCloud(t *testing.T, candidate http.HandlerFunc) *cloud {
	t.Helper()
	server := httptest.NewServer(candidate)
	t.Cleanup(server.Close)
	c := &cloud{t: t, dir: t.TempDir()}
	curl, err := exec.LookPath("curl")
	require.NoError(t, err, "curl is missing: sudo apt-get install curl")
	c.program("gcloud", `echo "$*" >> "$(dirname "$0")/asked"
case "$*" in
"run services describe"*--format=json) echo '{"status": {"traffic": [{"tag": "candidate", "url": "https://candidate---bot.example.run.app"}]}}' ;;
"run services describe"*) printf '%s\t%s\n' bot-00007 0 bot-00006 100 ;;
"run revisions list"*) printf '%s\n' bot-00007 bot-00006 bot-00005 bot-00004 ;;
"run worker-pools describe"*) printf '%s\t%s\n' pool-00003 100 ;;
"run worker-pools revisions list"*) printf '%s\n' pool-00003 pool-00002 ;;
esac`)
	c.program("curl", fmt.Sprintf(`exec %s --header 'Host: bot' "${@/https:\/\/candidate---bot.example.run.app/%s}"`, curl, strings.ReplaceAll(server.URL, "/", `\/`)))
	c.env = append(os.Environ(), "PATH="+c.dir+":"+os.Getenv("PATH"), "SMOKE_TRIES=2", "SMOKE_PAUSE=0")
	return c
}

func (c *cloud) program(name, text string) {
	c.t.Helper()
	require.NoError(c.t, os.WriteFile(filepath.Join(c.dir, name), []byte("#!/usr/bin/env bash\nset -eu\n"+text+"\n"), 0o755))
}

func (c *cloud) run(script string, args ...string) (string, error) {
	cmd := exec.Command("bash", append([]string{filepath.Join(root, "deployments/cloudrun", script)}, args...)...)
	cmd.Env = c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// asked is what gcloud was asked to change, in order.
func (c *cloud) asked() (changes []string) {
	log, _ := os.ReadFile(filepath.Join(c.dir, "asked"))
	for line := range strings.Lines(string(log)) {
		if !strings.Contains(line, " describe ") && !strings.Contains(line, " list ") {
			changes = append(changes, strings.TrimSpace(line))
		}
	}
	return changes
}

// healthy answers as the bot does.
func healthy(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/webhook" && r.Method == http.MethodPost:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/webhook":
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path != "/startup" && r.URL.Path != "/ready":
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestDeploySmokesBeforeTraffic(t *testing.T) {
	c := newCloud(t, healthy)
	out, err := c.run("deploy.sh", imageName, "us-central1", "bot", "pool")
	require.NoError(t, err, out)
	require.Equal(t, []string{
		"run deploy bot --image " + imageName + " --region us-central1 --no-traffic --tag candidate --quiet",
		"run services update-traffic bot --region us-central1 --to-tags candidate=100 --quiet",
		"run worker-pools update pool --image " + imageName + " --region us-central1 --quiet",
		"run worker-pools update-instance-split pool --region us-central1 --to-latest --quiet",
	}, c.asked())
	require.Equal(t, 4, strings.Count(out, "ok: "))
}

// TestDeployStopsAtTheSmoke: a candidate that is not well gets no traffic, and the
// workers stay what they are.
func TestDeployStopsAtTheSmoke(t *testing.T) {
	for name, sick := range map[string]http.HandlerFunc{
		"not ready": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ready" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			healthy(w, r)
		},
		"takes anything": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path == "/webhook" {
				healthy(w, r)
			}
		},
		"answers any handshake": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				healthy(w, r)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, sick)
			out, err := c.run("deploy.sh", imageName, "us-central1", "bot", "pool")
			require.Error(t, err, out)
			require.Len(t, c.asked(), 1, "%v", c.asked())
			require.Contains(t, c.asked()[0], "--no-traffic")
		})
	}
}

func TestDeployWantsADigest(t *testing.T) {
	c := newCloud(t, healthy)
	out, err := c.run("deploy.sh", "gcr.io/example/whatsapp-node:latest", "us-central1", "bot")
	require.Error(t, err)
	require.Contains(t, out, "names no digest")
	require.Empty(t, c.asked())
}

// TestRollbackGoesOneBack: to the one before the revision that serves, which need not be
// the second newest.
func TestRollbackGoesOneBack(t *testing.T) {
	c := newCloud(t, healthy)
	out, err := c.run("rollback.sh", "us-central1", "bot", "pool")
	require.NoError(t, err, out)
	require.Equal(t, []string{
		"run services update-traffic bot --region us-central1 --to-revisions bot-00005=100 --quiet",
		"run worker-pools update-instance-split pool --region us-central1 --to-revisions pool-00002=100 --quiet",
	}, c.asked())
}

func TestRollbackWithNothingToGoBackTo(t *testing.T) {
	c := newCloud(t, healthy)
	c.program("gcloud", `echo "$*" >> "$(dirname "$0")/asked"
case "$*" in
"run services describe"*) printf '%s\t%s\n' bot-00001 100 ;;
"run revisions list"*) echo bot-00001 ;;
esac`)
	out, err := c.run("rollback.sh", "us-central1", "bot")
	require.Error(t, err)
	require.Contains(t, out, "no older revision of bot than bot-00001")
	require.Empty(t, c.asked())
}
