// Package deployments checks everything that brings the bot somewhere: the Dockerfile,
// Cloud Run, Terraform, Cloud Build, the workflows, Compose, Kubernetes and systemd,
// without a cloud, a cluster or a container engine.
//
// Each file is read by what its users read it with (the vendors' own Go packages, the
// loaders of Compose and kustomize, Kubernetes' own schema, systemd-analyze), and the
// lines that something depends on are asserted one by one. What the checks are worth is
// shown by the tests, which plant a mistake into each file and want it found.
//
// It is a module of its own so that none of these packages become part of the bot's.
package deployments
