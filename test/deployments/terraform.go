package deployments

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

const terraformFolder = "deployments/terraform/"

// module is what stands in all files of the folder.
type module struct {
	files     map[string]*hcl.File
	resources map[string]*hclsyntax.Block // "type.name"
	locals    map[string]hclsyntax.Expression
	variables map[string]*hclsyntax.Block
}

// checkTerraform parses the module, holds every argument of a resource against the
// provider's documents, wants every name to lead somewhere, and asserts the arguments
// that the promises of the bot rest on.
func checkTerraform(files Files, faults *Faults) {
	m := module{files: map[string]*hcl.File{}, resources: map[string]*hclsyntax.Block{}, locals: map[string]hclsyntax.Expression{}, variables: map[string]*hclsyntax.Block{}}
	broken := false
	for _, name := range files.under(terraformFolder, ".tf", ".hcl") {
		source := []byte(files[name])
		parsed, diagnostics := hclsyntax.ParseConfig(source, name, hcl.InitialPos)
		if diagnostics.HasErrors() {
			faults.add(name, "%v", diagnostics)
			broken = true
			continue
		}
		faults.want(bytes.Equal(hclwrite.Format(source), source), name, "is not formatted (terraform fmt)")
		m.files[name] = parsed
		if strings.HasSuffix(name, ".tf") {
			m.read(parsed, faults, name)
		}
	}
	if broken {
		return
	}
	for name, file := range m.files {
		m.resolve(file.Body.(*hclsyntax.Body), faults, name)
	}
	for id, r := range m.resources {
		checkArguments(faults, r.DefRange().Filename, id, r.Labels[0], r.Body)
	}
	m.checkPromises(files, faults)
}

func (m module) read(file *hcl.File, faults *Faults, name string) {
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		switch b.Type {
		case "resource":
			id := strings.Join(b.Labels, ".")
			_, twice := m.resources[id]
			faults.want(!twice, name, "%s stands there twice", id)
			m.resources[id] = b
		case "variable":
			m.variables[b.Labels[0]] = b
			for _, must := range []string{"type", "description"} {
				faults.want(b.Body.Attributes[must] != nil, name, "variable %s has no %s", b.Labels[0], must)
			}
		case "locals":
			for k, a := range b.Body.Attributes {
				m.locals[k] = a.Expr
			}
		case "output", "terraform", "provider":
		default:
			faults.add(name, "a block %q is not known here", b.Type)
		}
	}
}

// resolve wants every var, local and resource that is named to be there.
func (m module) resolve(body *hclsyntax.Body, faults *Faults, name string) {
	var all []hcl.Traversal
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if e, ok := n.(*hclsyntax.ScopeTraversalExpr); ok {
			all = append(all, e.Traversal)
		}
		return nil
	})
	for _, t := range all {
		attribute := func(i int) string {
			if i < len(t) {
				if a, ok := t[i].(hcl.TraverseAttr); ok {
					return a.Name
				}
			}
			return ""
		}
		switch root := t.RootName(); {
		case root == "var":
			_, ok := m.variables[attribute(1)]
			faults.want(ok, name, "there is no variable %s", attribute(1))
		case root == "local":
			_, ok := m.locals[attribute(1)]
			faults.want(ok, name, "there is no local %s", attribute(1))
		case strings.HasPrefix(root, "google_"):
			_, ok := m.resources[root+"."+attribute(1)]
			faults.want(ok, name, "there is no resource %s.%s", root, attribute(1))
		}
	}
}

// meta are the arguments that every resource has.
var meta = []string{"count", "for_each", "depends_on", "lifecycle", "provider"}

// checkArguments walks a resource; path is the type and the blocks within.
func checkArguments(faults *Faults, file, id, path string, body *hclsyntax.Body) {
	known, ok := arguments[path]
	if !ok {
		faults.add(file, "%s: the provider knows no %s, or arguments.go does not", id, path)
		return
	}
	top := !strings.Contains(path, "/")
	for name := range body.Attributes {
		faults.want(slices.Contains(known, name) || top && slices.Contains(meta, name), file, "%s: the provider knows no argument %s of %s", id, name, path)
	}
	for _, b := range body.Blocks {
		name, inner := b.Type, b.Body
		if top && name == "lifecycle" {
			continue
		}
		if name == "dynamic" {
			name = b.Labels[0]
			faults.want(b.Body.Attributes["for_each"] != nil && len(b.Body.Blocks) == 1 && b.Body.Blocks[0].Type == "content", file, "%s: the dynamic block %s has no content", id, name)
			inner = b.Body.Blocks[0].Body
		}
		checkArguments(faults, file, id, path+"/"+name, inner)
	}
}

// text is how an argument is written, found by a path of blocks and its name: the first
// of them when several blocks have that path.
func (m module) text(files Files, resource string, path ...string) string {
	if r := m.resources[resource]; r != nil {
		return textIn(files, r.Body, path)
	}
	return ""
}

func textIn(files Files, body *hclsyntax.Body, path []string) string {
	if len(path) == 1 {
		if a := body.Attributes[path[0]]; a != nil {
			at := a.Expr.Range()
			return strings.TrimSpace(string(at.SliceBytes([]byte(files[at.Filename]))))
		}
		return ""
	}
	for _, b := range body.Blocks {
		inner := b.Body
		switch {
		case b.Type == path[0]:
		case b.Type == "dynamic" && b.Labels[0] == path[0] && len(inner.Blocks) == 1:
			inner = inner.Blocks[0].Body
		default:
			continue
		}
		if text := textIn(files, inner, path[1:]); text != "" {
			return text
		}
	}
	return ""
}

// promise is an argument that must be written in one way, and why.
type promise struct{ resource, path, want, why string }

const (
	service = "google_cloud_run_v2_service.bot"
	pool    = "google_cloud_run_v2_worker_pool.bot"
	valkey  = "google_memorystore_instance.messages"
)

var promises = []promise{
	{service, "template/containers/resources/cpu_idle", "local.scaled", "the CPU must stay with who answers, and left out it means something else"},
	{service, "scaling/min_instance_count", "1", "only requests wake an instance, and a due turn is none"},
	{service, "template/containers/image", "var.image", "the image comes by digest"},
	{service, "template/containers/ports/container_port", "8080", "the bot listens there"},
	{service, "template/containers/env/value_source/secret_key_ref/version", "env.value", "a secret that is read once is pinned"},
	{service, "template/volumes/secret/items/version", `"latest"`, "a mounted secret is rotated without a new revision"},
	{service, "template/containers/startup_probe/http_get/path", `"/startup"`, "the probes of the bot"},
	{service, "template/containers/liveness_probe/http_get/path", `"/live"`, "a store that is down must not restart every instance"},
	{service, "template/containers/readiness_probe/http_get/path", `"/ready"`, "the probes of the bot"},
	{service, "template/service_account", "google_service_account.service.email", "the default account may do nearly everything"},
	{service, "template/vpc_access/egress", `"PRIVATE_RANGES_ONLY"`, "Meta and the vendors are reached without the VPC"},
	{service, "ingress", `"INGRESS_TRAFFIC_ALL"`, "Meta calls from outside"},
	{service, "invoker_iam_disabled", "true", "Meta has no Google account"},
	{service, "deletion_protection", "var.deletion_protection", "what serves is not destroyed by mistake"},
	{pool, "count", "local.scaled ? 1 : 0", "the small shape has no workers beside"},
	{pool, "template/containers/image", "var.image", "the image comes by digest"},
	{pool, "template/service_account", "google_service_account.worker[0].email", "the default account may do nearly everything"},
	{pool, "template/containers/startup_probe/http_get/path", `"/startup"`, "the probes of the bot"},
	{pool, "template/containers/liveness_probe/http_get/path", `"/live"`, "a store that is down must not restart every instance"},
	{valkey, "persistence_config/mode", `"AOF"`, "a 200 stands on a disk"},
	{valkey, "persistence_config/aof_config/append_fsync", `"ALWAYS"`, "a 200 stands on a disk"},
	{valkey, "mode", `"CLUSTER_DISABLED"`, "the address is that of one node"},
	{valkey, "replica_count", "0", "a failover loses what the replica did not have yet"},
	{valkey, "authorization_mode", `"IAM_AUTH"`, "the network alone is no guard"},
	{valkey, "transit_encryption_mode", `"SERVER_AUTHENTICATION"`, "a token must not travel in the clear"},
	{valkey, "deletion_protection_enabled", "var.deletion_protection", "what holds messages is not destroyed by mistake"},
	{"google_artifact_registry_repository.gcr", "repository_id", `"gcr.io"`, "names under gcr.io are served from the repository of that name"},
	{"google_artifact_registry_repository.gcr", "location", `"us"`, "names under gcr.io are served from us"},
	{"google_artifact_registry_repository.gcr", "docker_config/immutable_tags", "true", "a tag must not move"},
	{"google_monitoring_uptime_check_config.ready", "http_check/path", `"/ready"`, "it knows the store and the access token"},
	{"google_monitoring_uptime_check_config.ready", "http_check/validate_ssl", "true", "Meta refuses a bad certificate"},
	{"google_secret_manager_secret_iam_member.reader", "role", `"roles/secretmanager.secretAccessor"`, "reading is all that is needed"},
	{"google_iam_workload_identity_pool_provider.github", "oidc/issuer_uri", `"https://token.actions.githubusercontent.com"`, "others must not sign"},
}

func (m module) checkPromises(files Files, faults *Faults) {
	for _, p := range promises {
		got := m.text(files, p.resource, strings.Split(p.path, "/")...)
		faults.want(got == p.want, terraformFolder, "%s: %s must be %s, and is %q: %s", p.resource, p.path, p.want, got, p.why)
	}
	faults.want(strings.Contains(m.text(files, valkey, "engine_configs"), `maxmemory-policy = "noeviction"`), terraformFolder, "valkey must not evict")
	condition := m.text(files, "google_iam_workload_identity_pool_provider.github", "attribute_condition")
	for _, part := range []string{"repository_owner_id ==", "repository_id ==", "refs/heads/main"} {
		faults.want(strings.Contains(condition, part), terraformFolder, "the identity pool lets others in: %s is not asked", part)
	}
	for _, file := range slices.Sorted(maps.Keys(m.files)) {
		text := files[file]
		faults.want(!strings.Contains(text, "healthz"), file, "Cloud Run keeps /healthz to itself")
		for _, role := range regexp.MustCompile(`"roles/[^"]+"`).FindAllString(text, -1) {
			faults.want(slices.Contains(grantedRoles, strings.Trim(role, `"`)), file, "%s is more than is needed", role)
		}
		faults.want(!strings.Contains(text, "allUsers"), file, "opens something to everybody")
		faults.want(file == terraformFolder+"valkey.tf" || !strings.Contains(text, "secret_data"), file, "a secret's value stands in the state")
	}
	for name, b := range map[string]string{"image": "@sha256:[0-9a-f]{64}$", "shape": "scaled", "settings": "API_KEY"} {
		v := m.variables[name]
		ok := false
		if v != nil {
			for _, inner := range v.Body.Blocks {
				at := inner.Body.Range()
				ok = ok || inner.Type == "validation" && strings.Contains(string(at.SliceBytes([]byte(files[at.Filename]))), b)
			}
		}
		faults.want(ok, terraformFolder, "variable %s is not validated", name)
	}
	tests := files[terraformFolder+"tests/shapes.tftest.hcl"]
	for _, run := range []string{"small", "scaled", "image_without_digest", "secret_in_the_settings"} {
		faults.want(strings.Contains(tests, fmt.Sprintf("run %q {", run)), terraformFolder+"tests/shapes.tftest.hcl", "lacks the run %s", run)
	}
	m.checkAlerts(files, faults)
	m.checkEnvironment(files, faults)
}

// grantedRoles are all that anybody gets.
var grantedRoles = []string{
	"roles/memorystore.dbConnectionUser", "roles/monitoring.metricWriter", "roles/cloudtrace.agent", "roles/secretmanager.secretAccessor",
	"roles/run.developer", "roles/artifactregistry.writer", "roles/iam.serviceAccountUser",
}

var (
	entry        = regexp.MustCompile(`(?m)^\s*([A-Z][A-Z0-9_]+)\s*=\s*(.+?)\s*(#.*)?$`)
	fileVariable = regexp.MustCompile(`=\s*"([A-Z][A-Z0-9_]+_FILE)"`)
)

// checkEnvironment reads what the processes are given out of the locals.
func (m module) checkEnvironment(files Files, faults *Faults) {
	const file = terraformFolder + "main.tf"
	given := map[string]string{}
	source := func(e hclsyntax.Expression) string {
		if e == nil {
			return ""
		}
		at := e.Range()
		return string(at.SliceBytes([]byte(files[at.Filename])))
	}
	for _, name := range []string{"settings", "service_settings"} {
		for _, m := range entry.FindAllStringSubmatch(source(m.locals[name]), -1) {
			given[m[1]] = strings.Trim(m[2], `"`)
		}
	}
	for _, m := range fileVariable.FindAllStringSubmatch(source(m.locals["meta_secrets"]), -1) {
		given[m[1]] = "mounted"
	}
	for _, m := range entry.FindAllStringSubmatch(files[terraformFolder+"run.tf"], -1) {
		given[m[1]] = strings.Trim(m[2], `"`)
	}
	for _, m := range regexp.MustCompile(`\{ ([A-Z_]+) = "[^"]*"(?:, ([A-Z_]+) = "[^"]*")? \}`).FindAllStringSubmatch(files[terraformFolder+"run.tf"]+files[terraformFolder+"variables.tf"], -1) {
		for _, name := range m[1:] {
			if name != "" {
				given[name] = "given"
			}
		}
	}
	checkSettings(files, faults, file, given)
	checkValues(faults, file, given, map[string]string{
		"STORE": "redis", "REDIS_AUTH": "google", "REDIS_URL": "local.valkey_url", "REDIS_CA_FILE": "/secrets/valkey-ca/value", "REDIS_ACK": "memory", "DRAIN_TIMEOUT": "8s",
	})
	settings := source(m.locals["service_settings"])
	for _, part := range []string{`CPU_ALWAYS_ON = "true"`, `ROLE          = "all"`, `ROLE         = "serve"`} {
		faults.want(strings.Contains(settings, part), file, "the service lacks %s", part)
	}
	faults.want(strings.Contains(files[terraformFolder+"run.tf"], `{ ROLE = "worker", CPU_ALWAYS_ON = "true" }`), terraformFolder+"run.tf", "the worker pool must run as worker")
	faults.want(strings.Contains(source(m.locals["valkey_url"]), "rediss://"), terraformFolder+"valkey.tf", "a token must not travel in the clear: rediss://")
}
