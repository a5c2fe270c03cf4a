package deployments

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/run/v1"
)

const cloudRunFolder = "deployments/cloudrun/"

// placeholders are what envsubst fills in.
var placeholders = []string{"${PROJECT_ID}", "${DIGEST}", "${VALKEY_ADDRESS}", "${PHONE_NUMBER_ID}"}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// knownAnnotations are those of the Cloud Run API that the manifests use; it would take
// a misspelt one without a word.
var knownAnnotations = []string{
	"run.googleapis.com/ingress", "run.googleapis.com/invoker-iam-disabled", "run.googleapis.com/minScale", "run.googleapis.com/maxScale",
	"run.googleapis.com/scalingMode", "run.googleapis.com/manualInstanceCount",
	"run.googleapis.com/cpu-throttling", "run.googleapis.com/startup-cpu-boost", "run.googleapis.com/execution-environment",
	"run.googleapis.com/vpc-access-egress", "run.googleapis.com/network-interfaces",
}

// checkCloudRun reads the manifests into the types of Google's own Go package.
func checkCloudRun(files Files, faults *Faults) {
	for _, m := range []struct {
		file, role, throttling string
		pool                   bool
	}{
		{"service.yaml", "all", "false", false},
		{"service-serve.yaml", "serve", "true", false},
		{"workerpool.yaml", "worker", "", true},
	} {
		file := cloudRunFolder + m.file
		for _, p := range placeholder.FindAllString(files[file], -1) {
			faults.want(slices.Contains(placeholders, p), file, "nobody fills in %s", p)
		}
		var service run.Service
		var err error
		if m.pool {
			var pool run.WorkerPool
			err = strictly(files[file], &pool)
			service = run.Service{ApiVersion: pool.ApiVersion, Kind: pool.Kind, Metadata: pool.Metadata, Spec: &run.ServiceSpec{}}
			if pool.Spec != nil {
				service.Spec.Template = pool.Spec.Template
			}
			faults.want(pool.Kind == "WorkerPool" && pool.ApiVersion == "run.googleapis.com/v1", file, "is a %s of %s", pool.Kind, pool.ApiVersion)
			faults.want(err != nil || pool.Metadata.Annotations["run.googleapis.com/manualInstanceCount"] >= "1", file, "there must be workers")
		} else {
			err = strictly(files[file], &service)
			faults.want(service.Kind == "Service" && service.ApiVersion == "serving.knative.dev/v1", file, "is a %s of %s", service.Kind, service.ApiVersion)
		}
		if err != nil {
			faults.add(file, "%v", err)
			continue
		}
		revision := service.Spec.Template
		if !m.pool {
			faults.want(service.Metadata.Annotations["run.googleapis.com/minScale"] == "1", file, "minScale must be 1: only requests wake an instance, and a due turn is none")
			faults.want(service.Metadata.Annotations["run.googleapis.com/ingress"] == "all", file, "Meta calls from outside: ingress must be all")
			faults.want(service.Metadata.Annotations["run.googleapis.com/invoker-iam-disabled"] == "true", file, "Meta has no Google account: invoker-iam-disabled must be true")
			faults.want(revision.Metadata.Annotations["run.googleapis.com/cpu-throttling"] == m.throttling, file, "cpu-throttling must be %q for %s", m.throttling, m.role)
		}
		for name := range service.Metadata.Annotations {
			faults.want(slices.Contains(knownAnnotations, name), file, "Cloud Run knows no annotation %s", name)
		}
		for name, value := range revision.Metadata.Annotations {
			faults.want(slices.Contains(knownAnnotations, name), file, "Cloud Run knows no annotation %s", name)
			if strings.HasSuffix(name, "/network-interfaces") {
				faults.want(json.Valid([]byte(value)), file, "network-interfaces is no JSON")
			}
		}
		checkRevision(files, faults, file, m.role, revision.Spec)
	}
	checkScripts(files, faults)
}

func checkRevision(files Files, faults *Faults, file, role string, spec *run.RevisionSpec) {
	faults.want(strings.Contains(spec.ServiceAccountName, "${PROJECT_ID}.iam.gserviceaccount.com"), file, "has no service account of its own")
	if len(spec.Containers) != 1 {
		faults.add(file, "has %d containers", len(spec.Containers))
		return
	}
	c := spec.Containers[0]
	faults.want(c.Image == "gcr.io/${PROJECT_ID}/whatsapp-node@${DIGEST}", file, "the image must be named by digest, and is %s", c.Image)
	faults.want(c.Resources != nil && c.Resources.Limits["cpu"] == "1", file, "instance-based billing needs a whole CPU")
	given := map[string]string{}
	for _, e := range c.Env {
		_, twice := given[e.Name]
		faults.want(!twice, file, "%s is given twice", e.Name)
		given[e.Name] = e.Value
		if e.ValueFrom != nil {
			faults.want(e.ValueFrom.SecretKeyRef != nil && regexp.MustCompile(`^\d+$`).MatchString(e.ValueFrom.SecretKeyRef.Key), file, "%s is read once, so its version must be pinned", e.Name)
		} else {
			faults.want(!isSecret(e.Name), file, "%s is a secret and stands in the manifest", e.Name)
		}
	}
	checkSettings(files, faults, file, given)
	checkValues(faults, file, given, map[string]string{
		"ROLE": role, "STORE": "redis", "REDIS_URL": "rediss://${VALKEY_ADDRESS}", "REDIS_AUTH": "google", "DRAIN_TIMEOUT": "8s", "ADMIN_ADDR": "off",
	})
	if role != "serve" {
		checkValues(faults, file, given, map[string]string{"CPU_ALWAYS_ON": "true"})
	}
	probes := map[string]*run.Probe{"/startup": c.StartupProbe, "/live": c.LivenessProbe}
	if role != "worker" {
		probes["/ready"] = c.ReadinessProbe
		faults.want(len(c.Ports) == 1 && c.Ports[0].ContainerPort == 8080, file, "must take requests on 8080")
	}
	for path, p := range probes {
		faults.want(p != nil && p.HttpGet != nil && p.HttpGet.Path == path && p.HttpGet.Port == 8080, file, "lacks the probe of %s", path)
	}
	if p := c.StartupProbe; p != nil {
		faults.want(p.PeriodSeconds*p.FailureThreshold >= 120, file, "the first connection into a VPC may take more than a minute; the start may take %d s", p.PeriodSeconds*p.FailureThreshold)
	}
	mounted := map[string]string{}
	for _, v := range c.VolumeMounts {
		mounted[v.Name] = v.MountPath
	}
	paths := map[string]bool{}
	for _, v := range spec.Volumes {
		at, ok := mounted[v.Name]
		faults.want(ok, file, "volume %s is not mounted", v.Name)
		delete(mounted, v.Name)
		if v.Secret == nil {
			faults.add(file, "volume %s is no secret", v.Name)
			continue
		}
		for _, item := range v.Secret.Items {
			paths[at+"/"+item.Path] = true
			faults.want(item.Key == "latest", file, "volume %s stays at version %s, so that it cannot be rotated", v.Name, item.Key)
		}
	}
	for name := range mounted {
		faults.add(file, "there is no volume %s", name)
	}
	for name, value := range given {
		if strings.HasSuffix(name, "_FILE") {
			faults.want(paths[value], file, "%s names %s, which nothing mounts", name, value)
		}
	}
}

// isSecret tells by its name what must not stand in a manifest.
func isSecret(name string) bool {
	return regexp.MustCompile(`(TOKEN|SECRET|PASSWORD|API_KEY|HASH_KEY|STORE_KEYS?)$`).MatchString(name)
}

// checkScripts reads the scripts for what they must not lose; the tests run them.
func checkScripts(files Files, faults *Faults) {
	for _, name := range files.under(cloudRunFolder, ".sh") {
		faults.want(strings.Contains(files[name], "\nset -euo pipefail\n"), name, "must stop at the first thing that fails: set -euo pipefail")
		faults.want(!strings.Contains(files[name], "healthz"), name, "Cloud Run keeps /healthz to itself")
	}
}
