package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"time"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// The defaults and retention times.
const (
	DefaultPrefix     = "wa"
	DefaultPartitions = 64
	DefaultLeaseTTL   = 30 * time.Second
	DefaultAckTimeout = time.Second
	// MaxPartitions bounds Options.Partitions: each costs a look every few seconds.
	MaxPartitions = 1024
	// tombstoneTTL is how long an erased conversation is remembered, by a hash of its
	// id: far longer than an admission can be under way.
	tombstoneTTL = time.Hour
)

// Options configure Open. Only URL is required.
type Options struct {
	// URL says where Redis is:
	//
	//	redis://user:password@host:6379/0        one server, or any node of a Cluster
	//	redis://host1:6379,host2:6379            nodes of a Cluster
	//	redis+cluster://host1:6379,host2:6379    the same; one server alone is refused
	//	redis+sentinel://s1:26379,s2:26379/mymaster/0?sentinel_username=u&sentinel_password=p
	//
	// rediss instead of redis (rediss+cluster, rediss+sentinel) speaks TLS, and valkey
	// and valkeys do as redis and rediss. The query parameters of rueidis.ParseURL work
	// too: addr, master_set, db, dial_timeout, write_timeout, protocol=2, client_name.
	URL string
	// TLS replaces the default settings of rediss URLs, for a CA of one's own.
	TLS *tls.Config
	// Credentials, when set, is asked for user and password at each new connection,
	// as short-lived IAM tokens need; it wins over the URL. An empty user is "default".
	Credentials func(ctx context.Context) (user, password string, err error)
	// Prefix begins every key; DefaultPrefix when empty. Bots that share a server need
	// different ones.
	Prefix string
	// Partitions is fixed by the first start; DefaultPartitions when zero.
	Partitions int
	// LeaseTTL is how long a lease lasts unless extended; DefaultLeaseTTL when zero.
	LeaseTTL time.Duration
	// Keys seal what is stored: the first seals, all open. Records that are plain, or
	// that another key seals, are sealed by the first when they are written next, or by
	// Reseal. The store that is begun with a key names people by keyed hashes; one that
	// was begun without keeps its plain hashes. Data that is sealed is refused without
	// its key. All processes of a store must be given the same keys, the order apart.
	Keys []record.Key
	// Retention says how long what is done with is kept; the defaults where it is zero.
	Retention ports.Retention
	// OnSweepError, when set, is told of a failed removal of people of whom nothing is
	// left. The sweep is tried again at its next turn.
	OnSweepError func(error)
	// Ack says what makes a write durable; AckMemory when zero.
	Ack Ack
	// AckTimeout is how long replicas or the disk may take to confirm;
	// DefaultAckTimeout when zero.
	AckTimeout time.Duration
}

// prefixForm keeps a prefix out of trouble with hash tags and the parts of a key.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (o *Options) complete() error {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Partitions == 0 {
		o.Partitions = DefaultPartitions
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = DefaultLeaseTTL
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = DefaultAckTimeout
	}
	o.Retention = o.Retention.OrDefault()
	var faults []error
	if o.URL == "" {
		faults = append(faults, errors.New("the URL is missing"))
	}
	if !prefixForm.MatchString(o.Prefix) {
		faults = append(faults, errors.New("the prefix must be letters, digits, '_', '.' and '-'"))
	}
	if o.Partitions < 1 || o.Partitions > MaxPartitions {
		faults = append(faults, fmt.Errorf("the number of partitions must be 1 to %d", MaxPartitions))
	}
	if o.LeaseTTL < 10*time.Millisecond {
		faults = append(faults, errors.New("the lease time must be at least 10ms"))
	}
	if o.AckTimeout < time.Millisecond {
		faults = append(faults, errors.New("the time for confirmation must be at least 1ms"))
	}
	return errors.Join(faults...)
}
