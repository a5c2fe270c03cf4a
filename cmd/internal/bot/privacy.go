package bot

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// storeKeys are the keys that seal what is stored; none when nothing is to be sealed.
func storeKeys(c StoreConfig) ([]record.Key, error) {
	if c.Key == "" {
		keys, err := record.ParseKeys(c.Keys.Reveal())
		if err != nil {
			return nil, fmt.Errorf("STORE_KEYS %w", err)
		}
		return keys, nil
	}
	k, err := record.NewKey("", c.Key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("STORE_KEY %w", err)
	}
	return []record.Key{k}, nil
}

func keyFaults(c StoreConfig) []error {
	if c.Key != "" && c.Keys != "" {
		return []error{errors.New("STORE_KEY and STORE_KEYS are both set; keep one: STORE_KEYS can hold the other's key")}
	}
	if _, err := storeKeys(c); err != nil {
		return []error{err}
	}
	return nil
}

// logSealing tells at start whether stored text is encrypted, and by which key.
func logSealing(log *zap.Logger, keys []record.Key) {
	if len(keys) == 0 {
		log.Info("stored text is not encrypted: STORE_KEY is not set")
		return
	}
	log.Info("stored text is encrypted", zap.String("key", keys[0].ID()), zap.Int("keys", len(keys)))
}

// retention is how long the store keeps what is done with.
func (c StoreConfig) retention() ports.Retention {
	return ports.Retention{History: c.RetainHistory, Turns: c.RetainTranscripts, DeadLetters: c.RetainDeadLetters}
}

// forgetAfter makes every persona forget what is older, however much is said later.
func (all agents) forgetAfter(age time.Duration) {
	for i := range all {
		all[i].persona.Memory.Age = age
	}
}
