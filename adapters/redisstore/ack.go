package redisstore

import (
	"fmt"
	"strconv"
	"strings"
)

// Ack says what makes a write durable.
//
//   - memory: the server has it in memory. What persistence it has decides what a
//     crash costs.
//   - fsync: it is on the server's disk, by WAITAOF where the server has it (Redis
//     and Valkey from 7.2), else because the server runs with appendfsync always,
//     which is checked at start. A server of which neither can be shown is refused.
//   - replicas:N: at least N replicas have received it, by WAIT.
//
// A write that is not confirmed in time fails with KindTransient although the server
// has it; its repeat is recognised, and confirmed before it is answered.
type Ack struct {
	kind     ackKind
	replicas int
}

type ackKind int8

const (
	ackMemory ackKind = iota
	ackFsync
	ackReplicas
)

// The levels without a number.
var (
	AckMemory = Ack{}
	AckFsync  = Ack{kind: ackFsync}
)

// AckReplicas waits for n replicas.
func AckReplicas(n int) Ack { return Ack{kind: ackReplicas, replicas: n} }

// ParseAck reads "memory", "fsync" or "replicas:N" with N from 1; empty is memory.
func ParseAck(s string) (Ack, error) {
	switch s {
	case "", "memory":
		return AckMemory, nil
	case "fsync":
		return AckFsync, nil
	}
	if n, ok := strings.CutPrefix(s, "replicas:"); ok {
		if count, err := strconv.Atoi(n); err == nil && count > 0 && count < 100 {
			return AckReplicas(count), nil
		}
	}
	return Ack{}, fmt.Errorf("%q is not memory, fsync or replicas:N", s)
}

// String is what ParseAck reads.
func (a Ack) String() string {
	switch a.kind {
	case ackFsync:
		return "fsync"
	case ackReplicas:
		return "replicas:" + strconv.Itoa(a.replicas)
	}
	return "memory"
}
