-- Puts the messages of a dead letter back to where they were in the inbox, due at
-- once, and removes the letter. A lease or a deferred turn decides by itself when
-- the conversation is due, as for a new message. ARGV[5] turn, [6] how long the turn
-- is kept (µs). Answers 'ok' or 'none'.
local turn = ARGV[5]
local t = tkey(turn)
local conv = redis.call('HGET', t, 'c')
if not conv or not redis.call('ZSCORE', base .. ':dead', turn) then return { 'none', '' } end
local k, n = ckey(conv), 0
for _, m in ipairs(redis.call('LRANGE', t .. ':dm', 0, -1)) do
  local id, seq, at, data = string.match(m, '^([^|]*)|(%d+)|(%d+)|(.*)$')
  redis.call('HSET', k .. ':m', id, num(now) .. ':' .. data)
  redis.call('ZADD', k .. ':in', seq, id)
  redis.call('ZADD', base .. ':wait', at, id)
  n = n + 1
end
redis.call('ZREM', base .. ':dead', turn)
redis.call('DEL', t .. ':dm')
if not redis.call('ZSCORE', k .. ':open', turn) then redis.call('PEXPIRE', t, num(tonumber(ARGV[6]) / 1000)) end
local v = redis.call('HMGET', k, 'until', 'def')
if n > 0 and (not v[1] or v[1] == '0') and v[2] ~= '1' then earlier(conv, now) end
return { 'ok', announce(conv) }
