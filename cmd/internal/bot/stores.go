package bot

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"whatsappnode/adapters/record"
	"whatsappnode/adapters/redisstore"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/ports"
)

// store is one adapter behind all ports that keep something, because their
// atomicity is the point.
type store interface {
	ports.DedupPort
	ports.InboxPort
	ports.ConversationPort
	ports.DeadLetterPort
	ports.ErasurePort
	ports.ExportPort
	ports.PacerPort
	ports.LedgerPort
	ports.BacklogPort
	// Reseal seals with the first key what is not sealed by it, and tells how much.
	Reseal(ctx context.Context) (int, error)
	ports.ControlPort
	Ping(ctx context.Context) error
	Close() error
}

// The stores.
const (
	storeEmbedded = "embedded"
	storeRedis    = "redis"
)

// storeKind is the store that is named, or else implied.
func (c Config) storeKind() string {
	switch {
	case c.Store.Kind != "":
		return c.Store.Kind
	case c.Store.RedisURL != "":
		return storeRedis
	}
	return storeEmbedded
}

// openStore opens the store and logs what durability is in force.
func openStore(ctx context.Context, cfg Config, log *zap.Logger) (store, error) {
	keys, err := storeKeys(cfg.Store)
	if err != nil {
		return nil, err // load has checked it
	}
	logSealing(log, keys)
	if cfg.storeKind() == storeRedis {
		return openRedis(ctx, cfg, keys, log)
	}
	s, err := sqlitestore.Open(ctx, sqlitestore.Options{
		Path: cfg.Store.Path, LeaseTTL: cfg.Store.Lease, Keys: keys, Retention: cfg.Store.retention(),
		OnSweepError: func(err error) { log.Warn("store sweep failed", zap.Error(err)) },
	})
	if err != nil {
		return nil, fmt.Errorf("STORE_PATH: %w", err)
	}
	return s, nil
}

func openRedis(ctx context.Context, cfg Config, keys []record.Key, log *zap.Logger) (store, error) {
	ack, err := redisstore.ParseAck(cfg.Store.RedisAck)
	if err != nil {
		return nil, err // load has checked it
	}
	opt := redisstore.Options{
		URL: cfg.Store.RedisURL.Reveal(), Prefix: cfg.Store.RedisPrefix, Partitions: cfg.Store.RedisPartitions,
		LeaseTTL: cfg.Store.Lease, Keys: keys, Retention: cfg.Store.retention(), Ack: ack,
		OnSweepError: func(err error) { log.Warn("store sweep failed", zap.Error(err)) },
		AckTimeout:   cfg.Store.RedisAckTimeout,
	}
	if opt.Credentials, err = redisCredentials(cfg); err != nil {
		return nil, settingsError([]error{err})
	}
	if opt.TLS, err = redisTLS(cfg); err != nil {
		return nil, settingsError([]error{err})
	}
	s, err := redisstore.Open(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	report := s.Durability()
	log.Info("durability", zap.Stringer("redis", report))
	for _, w := range report.Warnings {
		log.Warn("durability", zap.String("warning", w))
	}
	return s, nil
}
