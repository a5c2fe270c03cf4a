package deployments

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const kubernetesFolder = "deployments/kubernetes/"

//go:embed kubernetes.schema.json
var kubernetesSchema []byte

// checkKubernetes builds each overlay as kustomize does, holds the result against
// Kubernetes' own schema, and asserts what keeps the bot confined and its turns whole.
func checkKubernetes(files Files, faults *Faults) {
	disk := filesys.MakeFsInMemory()
	for _, name := range files.under(kubernetesFolder, ".yaml") {
		if err := disk.WriteFile("/"+name, []byte(files[name])); err != nil {
			faults.add(name, "%v", err)
		}
	}
	validate, done, err := schemaValidator()
	if err != nil {
		faults.add(kubernetesFolder, "%v", err)
		return
	}
	defer done()
	for _, overlay := range []string{"valkey", "external"} {
		folder := kubernetesFolder + "overlays/" + overlay
		built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/"+folder)
		if err != nil {
			faults.add(folder, "%v", err)
			continue
		}
		text, err := built.AsYaml()
		if err != nil {
			faults.add(folder, "%v", err)
			continue
		}
		for _, r := range validate.Validate(folder, io.NopCloser(strings.NewReader(string(text)))) {
			if r.Status != validator.Valid {
				id, _ := r.Resource.Signature()
				faults.add(folder, "%s %s: %v", id.Kind, id.Name, r.Err)
			}
		}
		var all []map[string]any
		for part := range strings.SplitSeq(string(text), "\n---\n") {
			one := map[string]any{}
			if err := yaml.Unmarshal([]byte(part), &one); err != nil {
				faults.add(folder, "%v", err)
				continue
			}
			all = append(all, one)
		}
		checkCluster(files, faults, folder, overlay, all)
	}
}

// schemaValidator is kubeconform on the schema that schemagen made.
func schemaValidator() (validator.Validator, func(), error) {
	dir, err := os.MkdirTemp("", "deployments-")
	if err != nil {
		return nil, nil, err
	}
	done := func() { _ = os.RemoveAll(dir) }
	file := filepath.Join(dir, "kubernetes.schema.json")
	if err := os.WriteFile(file, kubernetesSchema, 0o600); err != nil {
		done()
		return nil, nil, err
	}
	v, err := validator.New([]string{file}, validator.Opts{Strict: true})
	return v, done, err
}

// at walks into nested maps and lists; a number is an index.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func checkCluster(files Files, faults *Faults, folder, overlay string, all []map[string]any) {
	byName := map[string]map[string]any{}
	config := map[string]string{}
	for _, o := range all {
		kind := fmt.Sprint(o["kind"])
		byName[kind+"/"+fmt.Sprint(at(o, "metadata", "name"))] = o
		if kind == "ConfigMap" {
			data, _ := o["data"].(map[string]any)
			for k, v := range data {
				config[k] = fmt.Sprint(v)
			}
		}
		if kind != "Namespace" {
			faults.want(at(o, "metadata", "namespace") == "whatsapp-node", folder, "%s %v is in no namespace of its own", kind, at(o, "metadata", "name"))
		}
	}
	ack := map[string]string{"valkey": "fsync", "external": "replicas:1"}[overlay]
	checkValues(faults, folder, config, map[string]string{"STORE": "redis", "REDIS_ACK": ack, "DRAIN_DELAY": "5s", "DRAIN_TIMEOUT": "20s"})
	for name := range config {
		faults.want(!isSecret(name), folder, "%s is a secret and stands in a config map", name)
	}
	faults.want(at(byName["Namespace/whatsapp-node"], "metadata", "labels", "pod-security.kubernetes.io/enforce") == "restricted", folder, "the namespace does not enforce the restricted pod security")
	faults.want(at(byName["NetworkPolicy/default-deny"], "spec", "podSelector") != nil && len(fmt.Sprint(at(byName["NetworkPolicy/default-deny"], "spec", "policyTypes"))) == len("[Ingress Egress]"), folder, "there is no default deny")
	faults.want(at(byName["HorizontalPodAutoscaler/serve"], "spec", "scaleTargetRef", "name") == "serve", folder, "nothing scales serve")
	faults.want(at(byName["Service/serve"], "spec", "selector", "app.kubernetes.io/component") == "serve", folder, "the service leads nowhere")
	faults.want(at(byName["Service/serve"], "spec", "ports", 0, "targetPort") == "http", folder, "the service leads to no port of the bot")

	metrics := byName["NetworkPolicy/metrics"]
	faults.want(at(metrics, "spec", "ingress", 0, "ports", 0, "port") == "metrics" && at(metrics, "spec", "ingress", 0, "from", 0, "namespaceSelector", "matchLabels") != nil,
		folder, "the admin listener asks nobody for a password, so a policy must say who reaches it")
	for _, role := range []string{"serve", "worker"} {
		d := byName["Deployment/"+role]
		if d == nil {
			faults.add(folder, "there is no deployment %s", role)
			continue
		}
		pdb := byName["PodDisruptionBudget/"+role]
		faults.want(at(pdb, "spec", "selector", "matchLabels", "app.kubernetes.io/component") == role, folder, "a drained node may take every %s at once", role)
		pod := at(d, "spec", "template", "spec")
		faults.want(at(pod, "terminationGracePeriodSeconds") == float64(40), folder, "%s is killed before DRAIN_DELAY and DRAIN_TIMEOUT have passed", role)
		faults.want(at(d, "spec", "strategy", "rollingUpdate", "maxUnavailable") == float64(0), folder, "an update takes a %s away before the next is ready", role)
		spread, _ := at(pod, "topologySpreadConstraints").([]any)
		faults.want(len(spread) == 2, folder, "%s may all be on one machine", role)
		for _, s := range spread {
			faults.want(at(s, "labelSelector", "matchLabels", "app.kubernetes.io/component") == role, folder, "%s spreads others than itself", role)
		}
		c := at(pod, "containers", 0)
		faults.want(fmt.Sprint(at(c, "args")) == "["+role+"]", folder, "%s is started as %v", role, at(c, "args"))
		for probe, path := range map[string]string{"startupProbe": "/startup", "livenessProbe": "/live", "readinessProbe": "/ready"} {
			faults.want(at(c, probe, "httpGet", "path") == path && at(c, probe, "httpGet", "port") == "http", folder, "%s: the %s must ask %s", role, probe, path)
		}
		faults.want(at(c, "ports", 0, "name") == "http" && at(c, "ports", 0, "containerPort") == float64(8080), folder, "%s: the port http is 8080", role)
		faults.want(at(c, "resources", "limits", "memory") != nil && at(c, "resources", "requests", "cpu") != nil, folder, "%s has no bounds", role)
		given := merged(config, map[string]string{"REDIS_URL": "from the secret store"})
		if env, ok := at(c, "env").([]any); ok {
			for _, e := range env {
				given[fmt.Sprint(at(e, "name"))] = fmt.Sprint(at(e, "value"))
			}
		}
		from := fmt.Sprint(at(c, "envFrom"))
		faults.want(strings.Contains(from, "secretRef:map[name:store]"), folder, "%s does not learn where the store is", role)
		faults.want((role == "worker") == strings.Contains(from, "secretRef:map[name:vendors]"), folder, "vendors' keys belong to the worker alone: %s", role)
		checkSettings(files, faults, folder, given)
		for name, value := range given {
			if strings.HasSuffix(name, "_FILE") {
				faults.want(strings.HasPrefix(value, fmt.Sprint(at(c, "volumeMounts", 0, "mountPath"))+"/"), folder, "%s: %s names %s, which nothing mounts", role, name, value)
			}
		}
		faults.want(at(pod, "volumes", 0, "name") == at(c, "volumeMounts", 0, "name"), folder, "%s mounts a volume that is not there", role)
		checkConfined(faults, folder, role, pod)
	}
	if overlay != "valkey" {
		return
	}
	pod := at(byName["StatefulSet/valkey"], "spec", "template", "spec")
	args := fmt.Sprint(at(pod, "containers", 0, "args"))
	for _, part := range []string{"--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction", "--dir /data"} {
		faults.want(strings.Contains(args, part), folder, "valkey lacks %s", part)
	}
	faults.want(at(byName["StatefulSet/valkey"], "spec", "volumeClaimTemplates", 0, "metadata", "name") == "data", folder, "valkey's data is on no volume")
	faults.want(at(byName["StatefulSet/valkey"], "spec", "serviceName") == at(byName["Service/valkey"], "metadata", "name"), folder, "valkey has no name")
	checkConfined(faults, folder, "valkey", pod)
}

// checkConfined wants what the restricted pod security standard wants, and a root file
// system that cannot be written.
func checkConfined(faults *Faults, folder, name string, pod any) {
	faults.want(at(pod, "automountServiceAccountToken") == false, folder, "%s gets a token of the cluster", name)
	faults.want(at(pod, "securityContext", "runAsNonRoot") == true, folder, "%s may run as root", name)
	faults.want(at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault", folder, "%s has no seccomp profile", name)
	c := at(pod, "containers", 0, "securityContext")
	faults.want(at(c, "allowPrivilegeEscalation") == false, folder, "%s may gain privileges", name)
	faults.want(at(c, "readOnlyRootFilesystem") == true, folder, "%s can write into its image", name)
	faults.want(fmt.Sprint(at(c, "capabilities", "drop")) == "[ALL]", folder, "%s keeps capabilities", name)
}
