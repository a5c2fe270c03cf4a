package deployments_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/deployments"
)

// typo is one mistake in one file, and what the check must say about it.
type typo struct{ file, old, new, says string }

const (
	small     = "deployments/cloudrun/service.yaml"
	serving   = "deployments/cloudrun/service-serve.yaml"
	workers   = "deployments/cloudrun/workerpool.yaml"
	build     = "deployments/cloudbuild.yaml"
	deploy    = ".github/workflows/deploy.yml"
	composing = "deployments/compose/compose.yaml"
	caddy     = "deployments/compose/Caddyfile"
	base      = "deployments/kubernetes/base/"
	overlays  = "deployments/kubernetes/overlays/"
	tf        = "deployments/terraform/"
	unit      = "deployments/systemd/whatsapp-node.service"
)

var typos = []typo{
	{"Dockerfile", "WORKDIR /src", "WORKDRI /src", "WORKDRI"},
	{"Dockerfile", "USER 65532:65532", "USER root", "must run as 65532"},
	{"Dockerfile", "static-debian12:nonroot", "static-debian12:latest", "runs on gcr.io/distroless"},
	{"Dockerfile", "-extldflags -static", "-extldflags -statik", "the build lacks"},
	{"Dockerfile", "bot.Version=", "bot.version=", "bot.Version"},
	{"Dockerfile", `CMD ["/whatsapp-node", "healthcheck"]`, `CMD /whatsapp-node healthcheck`, "health check"},
	{"Dockerfile", `ENTRYPOINT ["/whatsapp-node"]`, `ENTRYPOINT ["/whatsappnode"]`, "entrypoint"},
	{"Dockerfile", "--from=build /out/whatsapp-node", "--from=built /out/whatsapp-node", "built"},
	{"Dockerfile", "EXPOSE 8080", "EXPOSE 8081", "must expose 8080"},
	{"Dockerfile", "ENV STORE_PATH=/data/", "ENV STORE_PATH=/tmp/", "volume /data"},
	{"Dockerfile", "FROM golang:1.26", "FROM golang:1.25", "Go 1.26"},

	{small, "containerConcurrency", "containerConcurency", "containerConcurency"},
	{small, "cpu-throttling: \"false\"", "cpu-throttling: \"true\"", "cpu-throttling"},
	{small, "run.googleapis.com/minScale", "run.googleapis.com/minscale", "minscale"},
	{small, "minScale: \"1\"", "minScale: \"0\"", "minScale must be 1"},
	{small, "path: /startup", "path: /healthz", "/startup"},
	{small, "name: REDIS_ACK", "name: REDIS_AKC", "REDIS_AKC is no setting"},
	{small, "name: WHATSAPP_APP_SECRET_FILE", "name: WHATSAPP_APP_SECRET_PATH", "WHATSAPP_APP_SECRET is required"},
	{small, "value: rediss://", "value: redis://", "REDIS_URL"},
	{small, "whatsapp-node@${DIGEST}", "whatsapp-node:latest", "by digest"},
	{small, "mountPath: /secrets/app-secret", "mountPath: /secret/app-secret", "which nothing mounts"},
	{small, "key: \"1\"", "key: latest", "pinned"},
	{small, "name: CPU_ALWAYS_ON", "name: CPU_ALLWAYS_ON", "CPU_ALLWAYS_ON is no setting"},
	{small, "${PHONE_NUMBER_ID}", "${PHONE_NUMBER}", "nobody fills in ${PHONE_NUMBER}"},
	{small, "failureThreshold: 60", "failureThreshold: 3", "may take more than a minute"},
	{small, "network-interfaces: '[{", "network-interfaces: '[", "no JSON"},
	{small, "value: all", "value: serve", "ROLE"},
	{small, "ingress: all", "ingress: internal", "ingress must be all"},
	{small, "secretName: whatsapp-app-secret", "secretname: whatsapp-app-secret", "secretname"},
	{serving, "cpu-throttling: \"true\"", "cpu-throttling: \"false\"", "cpu-throttling"},
	{serving, "value: serve", "value: all", "ROLE"},
	{serving, "readinessProbe", "readynessProbe", "readynessProbe"},
	{workers, "kind: WorkerPool", "kind: Workerpool", "Workerpool"},
	{workers, "manualInstanceCount: \"2\"", "manualInstanceCount: \"0\"", "there must be workers"},
	{workers, "value: worker", "value: wroker", "ROLE"},
	{workers, "livenessProbe", "livelinessProbe", "livelinessProbe"},
	{"deployments/cloudrun/deploy.sh", "set -euo pipefail", "set -e", "set -euo pipefail"},

	{build, "entrypoint:", "entrypont:", "entrypont"},
	{build, "id: test", "id: tset", "nothing is deployed that was not tested"},
	{build, "VERIFIED", "VERFIED", "provenance"},
	{build, "${_SERVICE}\"", "${_SERIVCE}\"", "nobody fills in $_SERIVCE"},
	{build, `images: ["gcr.io/$PROJECT_ID`, `images: ["gcr.io/$PROJECT`, "nobody fills in $PROJECT"},
	{build, "$(cat /workspace/image)", "whatsapp-node:latest", "deploy.sh"},

	{deploy, "runs-on: ubuntu-24.04", "runs-on: ubuntu-42.04", "ubuntu-42.04"},
	{deploy, "needs: check", "needs: chekc", "chekc"},
	{deploy, "steps.image.outputs.digest", "steps.imgae.outputs.digest", "imgae"},
	{deploy, "id-token: write", "id-token: read", "id-token"},
	{deploy, "timeout-minutes", "timeout-minute", "timeout-minute"},
	{deploy, "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "actions/checkout@v5", "not pinned"},
	{deploy, "workload_identity_provider:", "service_account: x@y\n          workload_identity_provider:", "no account in between"},
	{deploy, ".RepoDigests", ".RepoTags", "by digest"},
	{".github/workflows/check.yml", "pull_request:", "pull_requst:", "pull_requst"},

	{composing, "stop_grace_period", "stop_grace_perod", "stop_grace_perod"},
	{composing, "--appendfsync always", "--appendfsync everysec", "--appendfsync always"},
	{composing, "--appendonly yes", "--appendonly no", "--appendonly yes"},
	{composing, "noeviction", "allkeys-lru", "noeviction"},
	{composing, "read_only: true\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    pids_limit", "read_only: false\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    pids_limit", "bot can write"},
	{composing, "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "keeps capabilities"},
	{composing, `["CMD", "/whatsapp-node", "healthcheck"]`, `["CMD-SHELL", "/whatsapp-node healthcheck"]`, "health check needs a shell"},
	{composing, "condition: service_healthy", "condition: service_started", "must wait for valkey"},
	{composing, "REDIS_ACK: fsync", "REDIS_ACK: memory", "REDIS_ACK"},
	{composing, "/run/secrets/app_secret", "/run/secrets/appsecret", "does not get"},
	{composing, "file: secrets/app_secret", "file: ../app_secret", "git ignores"},
	{composing, "WHATSAPP_VERIFY_TOKEN_FILE:", "WHATSAPP_VERIFY_TOKNE_FILE:", "WHATSAPP_VERIFY_TOKNE_FILE is no setting"},
	{composing, "internal: true", "internal: false", "leads outside"},
	{composing, "stop_grace_period: 30s", "stop_grace_period: 10s", "is killed before"},
	{composing, "caddy:2.10-alpine", "caddy:latest", "whatever is newest"},
	{composing, "max-size: 20m", "max-seize: 20m", "grows without end"},
	{composing, "valkey:/data", "./data:/data", "on a volume"},
	{composing, "user: \"65532:65532\"", "user: root", "runs as"},
	{composing, "depends_on:\n      valkey:", "depends_on:\n      valky:", "valky"},
	{caddy, "reverse_proxy bot:8080 {", "reverse_proxy bot:8081 {", "reverse_proxy bot:8080"},
	{caddy, "health_uri /ready", "health_uri /healthz", "health_uri /ready"},
	{caddy, "respond 404\n\t}", "respond 404", "brace"},
	{"deployments/compose/bot.env.example", "REPLY_MODE=", "REPLY_MDOE=", "REPLY_MDOE is no setting"},
	{"deployments/compose/local.env.example", "OPENAI_STT_MODEL=", "OPENAI_STT_MODLE=", "OPENAI_STT_MODLE is no setting"},

	{base + "serve.yaml", "topologySpreadConstraints", "topologySpreadConstraint", "topologySpreadConstraint"},
	{base + "serve.yaml", "periodSeconds: 2", "periodSeconds: \"2\"", "periodSeconds"},
	{base + "serve.yaml", "path: /ready", "path: /redy", "/ready"},
	{base + "serve.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may gain privileges"},
	{base + "serve.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"},
	{base + "serve.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true", "readOnlyRootFileSystem"},
	{base + "serve.yaml", "terminationGracePeriodSeconds: 40", "terminationGracePeriodSeconds: 10", "is killed before"},
	{base + "serve.yaml", "maxUnavailable: 0", "maxUnavailable: 1", "before the next is ready"},
	{base + "serve.yaml", "args: [serve]", "args: [all]", "is started as"},
	{base + "serve.yaml", "name: STT_PROVIDER", "name: STT_PROVDIER", "STT_PROVDIER is no setting"},
	{base + "worker.yaml", "name: vendors", "name: vendor", "belong to the worker"},
	{base + "worker.yaml", "apiVersion: apps/v1", "apiVersion: apps/v1beta1", "apiVersion"},
	{base + "worker.yaml", "mountPath: /run/secrets/bot", "mountPath: /run/secret/bot", "nothing mounts"},
	{base + "worker.yaml", "drop: [ALL]", "drop: [NET_RAW]", "keeps capabilities"},
	{base + "disruption.yaml", "component: worker", "component: woker", "drained node"},
	{base + "network.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", "default deny"},
	{base + "network.yaml", "kubernetes.io/metadata.name: monitoring", "kubernetes.io/metadata.name: monitoring\n        - podSelecter: {}", "podSelecter"},
	{base + "network.yaml", "        - port: metrics", "        - port: http", "admin listener"},
	{base + "network.yaml", "podSelector: {}", "podSelecter: {}", "podSelecter"},
	{base + "service.yaml", "component: serve", "component: server", "leads nowhere"},
	{base + "service.yaml", "targetPort: http", "targetPort: https", "leads to no port"},
	{base + "autoscaling.yaml", "averageUtilization: 70", "averageUtilisation: 70", "averageUtilisation"},
	{base + "namespace.yaml", "enforce: restricted", "enforce: baseline", "restricted"},
	{base + "kustomization.yaml", "configMapGenerator", "configMapGenerators", "configMapGenerators"},
	{base + "kustomization.yaml", "- DRAIN_DELAY=5s", "- DRAIN_DELAI=5s", "DRAIN_DELAI is no setting"},
	{base + "kustomization.yaml", "- network.yaml", "- networks.yaml", "networks.yaml"},
	{base + "kustomization.yaml", "      - WHATSAPP_PHONE_NUMBER_ID=106500000000001\n", "", "WHATSAPP_PHONE_NUMBER_ID is required"},
	{overlays + "valkey/valkey.yaml", "- always", "- everysec", "--appendfsync always"},
	{overlays + "valkey/valkey.yaml", "volumeClaimTemplates", "volumeClaimTemplate", "volumeClaimTemplate"},
	{overlays + "valkey/valkey.yaml", "runAsUser: 999", "runAsUser: valkey", "runAsUser"},
	{overlays + "external/kustomization.yaml", "replicas:1", "memory", "REDIS_ACK"},

	{tf + "run.tf", "cpu_idle          = local.scaled", "cpu_idel          = local.scaled", "cpu_idel"},
	{tf + "run.tf", "cpu_idle          = local.scaled", "cpu_idle          = true", "cpu_idle"},
	{tf + "run.tf", "min_instance_count = 1", "min_instance_count = 0", "min_instance_count"},
	{tf + "run.tf", "merge(var.shared_secrets, {", "merge(var.shared_secret, {", "no variable shared_secret"},
	{tf + "run.tf", "local.service_settings", "local.service_setting", "no local service_setting"},
	{tf + "run.tf", "path = \"/startup\"", "path = \"/healthz\"", "healthz"},
	{tf + "run.tf", "google_service_account.service.email", "google_service_account.servce.email", "no resource google_service_account.servce"},
	{tf + "run.tf", "startup_probe {", "startup_prob {", "startup_prob"},
	{tf + "run.tf", "version = \"latest\"", "version = \"1\"", "rotated"},
	{tf + "run.tf", "image = var.image", "image = \"gcr.io/x/whatsapp-node:latest\"", "by digest"},
	{tf + "run.tf", "ROLE = \"worker\"", "ROLE = \"all\"", "must run as worker"},
	{tf + "run.tf", "count               = local.scaled ? 1 : 0", "count               = 1", "no workers beside"},
	{tf + "valkey.tf", `append_fsync = "ALWAYS"`, `append_fsync = "EVERY_SEC"`, "append_fsync"},
	{tf + "valkey.tf", "persistence_config {", "persistance_config {", "persistance_config"},
	{tf + "valkey.tf", "noeviction", "volatile-lru", "must not evict"},
	{tf + "valkey.tf", `"IAM_AUTH"`, `"AUTH_DISABLED"`, "the network alone"},
	{tf + "valkey.tf", "rediss://", "redis://", "in the clear"},
	{tf + "main.tf", `repository_id = "gcr.io"`, `repository_id = "gcr"`, "gcr.io"},
	{tf + "main.tf", "REDIS_ACK ", "REDIS_AKC ", "REDIS_AKC is no setting"},
	{tf + "main.tf", `"WHATSAPP_VERIFY_TOKEN_FILE"`, `"WHATSAPP_VERIFY_FILE"`, "WHATSAPP_VERIFY_TOKEN is required"},
	{tf + "main.tf", "STORE                    = \"redis\"", "STORE                    = \"embedded\"", "STORE"},
	{tf + "main.tf", "CPU_ALWAYS_ON", "CPU_ALWAYSON", "CPU_ALWAYSON is no setting"},
	{tf + "main.tf", "resource \"google_project_service\"", "resouce \"google_project_service\"", "resouce"},
	{tf + "main.tf", "  name   = \"whatsapp-node\"", "  name = \"whatsapp-node\"", "not formatted"},
	{tf + "main.tf", "docker_config {", "docker_config", ""},
	{tf + "secrets.tf", "roles/secretmanager.secretAccessor", "roles/secretmanager.admin", "more than is needed"},
	{tf + "identity.tf", "roles/cloudtrace.agent", "roles/editor", "more than is needed"},
	{tf + "github.tf", "assertion.repository_id == ", "assertion.repository == ", "lets others in"},
	{tf + "monitoring.tf", `path         = "/ready"`, `path         = "/live"`, "http_check/path"},
	{tf + "monitoring.tf", "threshold_value = 0.1", "treshold_value = 0.1", "treshold_value"},
	{tf + "monitoring.tf", `event=\"turn.dead\"`, `event=\"turn.daed\"`, "turn.daed is no event"},
	{tf + "monitoring.tf", `jsonPayload.detail!=`, `jsonPayload.detial!=`, "detial"},
	{tf + "monitoring.tf", `\"AmbiguousSends\"`, `\"AmbigousSends\"`, "no section"},
	{tf + "monitoring.tf", "google_logging_metric.events[each.key]", "google_logging_metric.event[each.key]", "no resource"},
	{tf + "variables.tf", "@sha256:", "@sha265:", "variable image is not validated"},
	{tf + "variables.tf", "GEMINI_API_KEY = \"1\"", "GEMINI_API_KYE = \"1\"", "GEMINI_API_KYE is no setting"},
	{tf + "tests/shapes.tftest.hcl", "run \"scaled\" {", "run \"scale\" {", "lacks the run scaled"},
	{tf + "outputs.tf", "google_cloud_run_v2_service.bot.uri", "google_cloud_run_v2_service.bto.uri", "no resource"},

	{unit, "ProtectSystem=strict", "ProtectSytem=strict", "ProtectSytem"},
	{unit, "ProtectSystem=strict", "ProtectSystem=strickt", "strickt"},
	{unit, "DynamicUser=yes", "DynamicUser=no", "DynamicUser"},
	{unit, "LoadCredential=app-secret:", "LoadCredential=app_secret:", "not loaded"},
	{unit, "Environment=STORE_PATH=%S/", "Environment=STORE_PATH=/tmp/", "STORE_PATH"},
	{unit, "Environment=DRAIN_TIMEOUT=20s", "Environment=DRIAN_TIMEOUT=20s", "DRIAN_TIMEOUT is no setting"},
	{unit, "RestartPreventExitStatus=78", "RestartPreventExitStatus=1", "RestartPreventExitStatus"},
	{unit, "[Service]", "[Sevice]", "Sevice"},
	{unit, "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n", "", "too exposed"},
	{unit, "StateDirectory=whatsapp-node", "StateDirectory=whatsappnode", "StateDirectory"},
}

// TestTyposAreFound plants each mistake alone. A check that misses one is worth nothing
// for it.
func TestTyposAreFound(t *testing.T) {
	files, err := deployments.Load(root)
	require.NoError(t, err)
	touched := map[string]bool{}
	for _, c := range typos {
		touched[c.file] = true
		t.Run(c.file+" "+c.new, func(t *testing.T) {
			body, ok := files[c.file]
			require.True(t, ok, "there is no such file")
			require.Contains(t, body, c.old, "the mistake cannot be planted")
			broken := maps.Clone(files)
			broken[c.file] = strings.Replace(body, c.old, c.new, 1)
			faults := strings.Join(deployments.Check(broken, c.file), "\n")
			require.NotEmpty(t, faults, "nobody noticed")
			require.Contains(t, faults, c.says)
		})
	}
	for name := range files {
		if strings.HasSuffix(name, ".md") || name == ".dockerignore" || strings.HasSuffix(name, "env.example") || !strings.Contains(name, "/") && name != "Dockerfile" {
			continue
		}
		if checked(name) {
			require.True(t, touched[name], "no mistake is planted into %s", name)
		}
	}
}

// checked are files that a mistake can break.
func checked(name string) bool {
	for _, ending := range []string{".tf", ".yaml", ".yml", ".service", "Caddyfile", "Dockerfile"} {
		if strings.HasSuffix(name, ending) {
			for _, other := range []string{"agents.example.yaml", "serviceaccount.yaml", "versions.tf", "network.tf", "external/store.yaml", "overlays/valkey/kustomization.yaml"} {
				if strings.HasSuffix(name, other) {
					return false
				}
			}
			for _, folder := range []string{"Dockerfile", "deployments/cloudrun", "deployments/terraform", "deployments/compose", "deployments/kubernetes", "deployments/systemd", ".github"} {
				if strings.HasPrefix(name, folder) {
					return true
				}
			}
		}
	}
	return false
}
