package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/ports"
)

// Report says what durability is in force, as far as the server lets itself be
// asked; an empty field is one it would not tell.
type Report struct {
	Ack        string
	Mode       string // standalone, sentinel or cluster
	Server     string // "redis 7.0.15", "valkey 8.1.1"
	AOF        string // "off" or appendfsync: "always", "everysec", "no"
	Confirmed  string // how a write is confirmed: "answer", "WAITAOF", "WAIT"
	Eviction   string // maxmemory-policy
	Partitions int
	// Warnings are what an operator should hear of.
	Warnings []string
}

// String is one line for the log.
func (r Report) String() string {
	known := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	line := fmt.Sprintf("%s, %s, ack %s confirmed by %s, append-only file %s, eviction %s, %d partitions",
		known(r.Server), r.Mode, r.Ack, r.Confirmed, known(r.AOF), known(r.Eviction), r.Partitions)
	if len(r.Warnings) > 0 {
		line += "; warning: " + strings.Join(r.Warnings, "; ")
	}
	return line
}

// confirmation is the command that follows a durable write.
type confirmation struct {
	replicas int // for WAIT; 0 means WAITAOF
}

func (c *confirmation) command(b rueidis.Builder, timeout time.Duration) rueidis.Completed {
	ms := timeout.Milliseconds()
	if c.replicas > 0 {
		return b.Wait().Numreplicas(int64(c.replicas)).Timeout(ms).Build()
	}
	return b.Waitaof().Numlocal(1).Numreplicas(0).Timeout(ms).Build()
}

// check reads how many confirmed. Both commands answer with what was reached when
// time ran out, which may be too few.
func (c *confirmation) check(r rueidis.RedisResult) error {
	if c.replicas > 0 {
		n, err := r.AsInt64()
		if err != nil {
			return err
		}
		if n < int64(c.replicas) {
			return fmt.Errorf("%w: %d of %d replicas", errUnconfirmed, n, c.replicas)
		}
		return nil
	}
	counts, err := r.AsIntSlice()
	if err != nil {
		return err
	}
	if len(counts) < 1 || counts[0] < 1 {
		return fmt.Errorf("%w: not on disk", errUnconfirmed)
	}
	return nil
}

// probe asks every node for version, persistence and eviction policy, and decides
// how writes are confirmed. The weakest node counts.
func (s *Store) probe(ctx context.Context) error {
	s.report = Report{Ack: s.opt.Ack.String(), Mode: string(s.client.Mode()), Confirmed: "answer", Partitions: s.opt.Partitions}
	ctx, cancel := context.WithTimeout(ctx, callBudget)
	defer cancel()
	waitaof := true
	for _, node := range s.client.Nodes() {
		facts := ask(ctx, node)
		if facts.role == "slave" {
			continue // what counts is where the writes go
		}
		waitaof = waitaof && facts.waitaof()
		s.report.Server = weakest(s.report.Server, facts.server, nil)
		s.report.AOF = weakest(s.report.AOF, facts.aof, []string{"off", "", "no", "everysec", "always"})
		s.report.Eviction = weakest(s.report.Eviction, facts.eviction, []string{"noeviction"})
	}
	if err := s.decide(waitaof); err != nil {
		return &ports.Error{Op: opName("open"), Kind: ports.KindUnsupported, Err: err}
	}
	s.warn()
	return nil
}

// decide chooses how writes are confirmed.
func (s *Store) decide(waitaof bool) error {
	aof := s.report.AOF
	switch s.opt.Ack.kind {
	case ackReplicas:
		s.confirm, s.report.Confirmed = &confirmation{replicas: s.opt.Ack.replicas}, "WAIT"
	case ackFsync:
		switch {
		case aof == "off":
			return errors.New("ack fsync: the server has its append-only file off (appendonly no)")
		case waitaof:
			s.confirm, s.report.Confirmed = &confirmation{}, "WAITAOF"
		case aof == "always":
			s.report.Confirmed = "appendfsync always"
		case aof == "":
			return errors.New("ack fsync: the server has no WAITAOF (Redis or Valkey 7.2) and does not tell its appendfsync, so it cannot be shown that writes are on disk; allow CONFIG GET, or use ack memory or replicas:N")
		default:
			return fmt.Errorf("ack fsync: the server has no WAITAOF (Redis or Valkey 7.2) and runs with appendfsync %s, not always", aof)
		}
	}
	return nil
}

func (s *Store) warn() {
	r := &s.report
	if r.Eviction != "" && r.Eviction != "noeviction" {
		r.Warnings = append(r.Warnings, "maxmemory-policy "+r.Eviction+" may throw messages away; set noeviction")
	}
	switch r.AOF {
	case "off":
		r.Warnings = append(r.Warnings, "the append-only file is off: a restart of the server loses messages that were acknowledged")
	case "everysec", "no":
		if r.Confirmed == "answer" {
			r.Warnings = append(r.Warnings, "appendfsync "+r.AOF+" may lose the newest acknowledged messages when the server is killed")
		}
	case "":
		r.Warnings = append(r.Warnings, "the server does not tell how it persists")
	}
}

// nodeFacts is what one node tells.
type nodeFacts struct{ server, version, role, aof, eviction string }

// ask reads INFO and CONFIG GET; managed servers may refuse either.
func ask(ctx context.Context, node rueidis.Client) nodeFacts {
	var f nodeFacts
	info := map[string]string{}
	for _, section := range []string{"server", "replication", "persistence", "memory"} {
		text, err := node.Do(ctx, node.B().Info().Section(section).Build()).ToString()
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[k] = v
			}
		}
	}
	f.role, f.eviction = info["role"], info["maxmemory_policy"]
	kind := "redis"
	f.version = info["redis_version"]
	if v := info["valkey_version"]; v != "" {
		kind, f.version = "valkey", v
	}
	if f.version != "" {
		f.server = kind + " " + f.version
	}
	config, err := node.Do(ctx, node.B().ConfigGet().Parameter("appendfsync", "maxmemory-policy").Build()).AsStrMap()
	if err != nil { // before 7.0 it takes one parameter
		config, _ = node.Do(ctx, node.B().ConfigGet().Parameter("appendfsync").Build()).AsStrMap()
	}
	if p := config["maxmemory-policy"]; p != "" {
		f.eviction = p
	}
	switch info["aof_enabled"] {
	case "0":
		f.aof = "off"
	case "1":
		f.aof = config["appendfsync"]
	}
	return f
}

// waitaof reports whether the node has the command: Redis and Valkey from 7.2.
func (f nodeFacts) waitaof() bool {
	parts := strings.SplitN(f.version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 7 || major == 7 && minor >= 2)
}

// weakest keeps the worse of two values: the one further to the front of order, or
// any that is not in it.
func weakest(have, other string, order []string) string {
	if have == "" || have == other {
		return other
	}
	rank := func(v string) int {
		for i, o := range order {
			if o == v {
				return i
			}
		}
		return -1
	}
	if order == nil || rank(have) <= rank(other) {
		return have
	}
	return other
}
