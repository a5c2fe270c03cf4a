// Package googlecloud is what the adapters of Google Cloud's gRPC services share: how a
// client is made, without retries of its own, and what its errors mean.
package googlecloud
