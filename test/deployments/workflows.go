package deployments

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// root is the repository, seen from the folder that the tests of this module run in.
const root = "../.."

var (
	uses   = regexp.MustCompile(`(?m)^\s*-?\s*uses:\s*(\S+)(.*)$`)
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
)

// checkWorkflows runs actionlint, and asserts what it does not know to want.
func checkWorkflows(files Files, faults *Faults) {
	names := files.under(".github/workflows/", ".yml", ".yaml")
	faults.want(len(names) == 2, ".github", "there are %d workflows", len(names))
	for _, name := range names {
		// The tool stands in the module of the tools, since it needs another version of a
		// library than the loader of Compose.
		lint := exec.Command("go", "tool", "-modfile="+filepath.FromSlash(".ci/tools/go.mod"), "actionlint",
			"-shellcheck=", "-pyflakes=", "-oneline", "-no-color", "-stdin-filename", name, "-")
		lint.Dir, lint.Stdin = root, strings.NewReader(files[name])
		if out, err := lint.CombinedOutput(); err != nil {
			faults.add(name, "%s", bytes.TrimSpace(append(out, err.Error()...)))
		}
		for _, m := range uses.FindAllStringSubmatch(files[name], -1) {
			faults.want(pinned.MatchString(m[1]), name, "%s is not pinned by its commit", m[1])
			faults.want(strings.Contains(m[2], "# v"), name, "%s does not say which version it is", m[1])
		}
	}
	checkDeployWorkflow(files[".github/workflows/deploy.yml"], faults)
}

type workflow struct {
	Permissions map[string]string `json:"permissions"`
	Jobs        map[string]struct {
		Needs       any               `json:"needs"`
		Permissions map[string]string `json:"permissions"`
		Steps       []struct {
			Uses string            `json:"uses"`
			Run  string            `json:"run"`
			With map[string]string `json:"with"`
		} `json:"steps"`
	} `json:"jobs"`
}

func checkDeployWorkflow(text string, faults *Faults) {
	const file = ".github/workflows/deploy.yml"
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		faults.add(file, "%v", err)
		return
	}
	job := w.Jobs["deploy"]
	faults.want(job.Needs == "check", file, "nothing is deployed that was not checked")
	faults.want(job.Permissions["id-token"] == "write", file, "the identity cannot be exchanged without id-token: write")
	faults.want(w.Permissions["contents"] == "read" && len(w.Permissions) == 1, file, "the workflow may do more than read")
	var order []string
	for _, s := range job.Steps {
		action, _, _ := strings.Cut(s.Uses, "@")
		order = append(order, action)
		if action == "google-github-actions/auth" {
			faults.want(s.With["workload_identity_provider"] != "", file, "auth needs the workload identity provider")
			faults.want(s.With["service_account"] == "" && s.With["credentials_json"] == "", file, "direct federation has no account in between, and no key")
		}
	}
	faults.want(slices.Index(order, "actions/checkout") < slices.Index(order, "google-github-actions/auth"), file, "checkout must come before auth, whose file it would remove")
	faults.want(strings.Contains(text, `deployments/cloudrun/deploy.sh "$DIGEST"`) && strings.Contains(text, ".RepoDigests"), file, "must deploy by digest")
}
