// Command schemagen makes kubernetes.schema.json, what the check of the Kubernetes
// manifests is done against, out of the OpenAPI document of Kubernetes itself:
//
//	dir=$(go mod download -json k8s.io/kubernetes@v1.34.1 | jq -r .Dir)
//	go run ./schemagen "$dir/api/openapi-spec/swagger.json" > kubernetes.schema.json
//
// It keeps the kinds that the manifests use and what they refer to, drops the
// descriptions, and refuses fields that Kubernetes does not know.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// kinds are those that the manifests use.
var kinds = []string{
	"io.k8s.api.apps.v1.Deployment",
	"io.k8s.api.apps.v1.StatefulSet",
	"io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
	"io.k8s.api.core.v1.ConfigMap",
	"io.k8s.api.core.v1.Namespace",
	"io.k8s.api.core.v1.Service",
	"io.k8s.api.core.v1.ServiceAccount",
	"io.k8s.api.networking.v1.NetworkPolicy",
	"io.k8s.api.policy.v1.PodDisruptionBudget",
}

type object = map[string]any

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: schemagen swagger.json")
	}
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var document struct{ Definitions map[string]object }
	if err := json.Unmarshal(data, &document); err != nil {
		return err
	}
	kept := object{}
	var names []any
	var rules []any
	for _, name := range kinds {
		definition, ok := document.Definitions[name]
		if !ok {
			return fmt.Errorf("there is no %s", name)
		}
		group := definition["x-kubernetes-group-version-kind"].([]any)[0].(object)
		version := strings.TrimPrefix(fmt.Sprint(group["group"], "/", group["version"]), "/")
		names = append(names, group["kind"])
		rules = append(rules, object{
			"if": object{"properties": object{"kind": object{"const": group["kind"]}}},
			"then": object{"allOf": []any{
				object{"$ref": "#/definitions/" + name},
				object{"required": []any{"apiVersion", "metadata"}, "properties": object{"apiVersion": object{"const": version}}},
			}},
		})
		keep(document.Definitions, kept, name)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	return out.Encode(object{
		"$comment": "made by schemagen", "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
		"required": []any{"kind"}, "properties": object{"kind": object{"enum": names}}, "allOf": rules, "definitions": kept,
	})
}

// keep takes a definition and all it refers to.
func keep(from map[string]object, kept object, name string) {
	if _, done := kept[name]; done {
		return
	}
	kept[name] = object{} // a definition may refer to itself
	kept[name] = bare(from[name], func(ref string) { keep(from, kept, ref) })
}

// bare is a schema without prose, and strict.
func bare(v any, refer func(string)) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = bare(v[i], refer)
		}
		return out
	case object:
		if ref, ok := v["$ref"].(string); ok {
			refer(strings.TrimPrefix(ref, "#/definitions/"))
			return object{"$ref": ref}
		}
		if v["format"] == "int-or-string" {
			return object{"type": []any{"integer", "string"}}
		}
		out := object{}
		for key, value := range v {
			if slices.Contains([]string{"description", "format", "default"}, key) && !isProperty(value) || strings.HasPrefix(key, "x-kubernetes") {
				continue
			}
			if key == "properties" {
				properties := object{}
				for name, property := range value.(object) {
					properties[name] = bare(property, refer)
				}
				out[key] = properties
				continue
			}
			out[key] = bare(value, refer)
		}
		if _, has := out["properties"]; has {
			if _, open := out["additionalProperties"]; !open {
				out["additionalProperties"] = false
			}
		}
		return out
	}
	return v
}

// isProperty tells a property that happens to be called description from prose.
func isProperty(v any) bool {
	_, ok := v.(object)
	return ok
}
