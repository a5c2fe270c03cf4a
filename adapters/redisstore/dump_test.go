package redisstore_test

import (
	"strings"
	"testing"

	"whatsappnode/test/redisserver"
)

// keys lists every key of the newest store on one master.
func (s *site) keys(t *testing.T, m *redisserver.Server) []string {
	text := m.Must(t, "KEYS", "{"+s.last+":*")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// readAll reads any key whole, whatever its type.
const readAll = `
local k, t = KEYS[1], redis.call('TYPE', KEYS[1]).ok
if t == 'string' then return {redis.call('GET', k)} end
if t == 'hash' then return redis.call('HGETALL', k) end
if t == 'list' then return redis.call('LRANGE', k, 0, -1) end
if t == 'set' then return redis.call('SMEMBERS', k) end
if t == 'zset' then return redis.call('ZRANGE', k, 0, -1, 'WITHSCORES') end
return {}`

// dump is every key of the newest store with everything in it.
func (s *site) dump(t *testing.T) string {
	var out strings.Builder
	for _, m := range s.masters {
		for _, key := range s.keys(t, m) {
			out.WriteString(key + "\n" + m.Must(t, "EVAL", readAll, "1", key) + "\n")
		}
	}
	return out.String()
}
