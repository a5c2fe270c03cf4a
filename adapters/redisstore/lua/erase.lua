-- Removes everything of a conversation that lives in its partition, and leaves a
-- tombstone so that an admission under way does not bring it back. ARGV[5]
-- conversation, [6] tombstone, [7] how long that is kept (ms), [8] when given: only
-- if it was finished so long ago (µs) and has nothing to do; else the answer begins with -1.
-- Answers how many conversations, messages, turns, dead letters and ids there were.
local conv = ARGV[5]
local k, turns, letters = ckey(conv), 0, 0
if ARGV[8] then
  local at = redis.call('ZSCORE', base .. ':idle', conv)
  if not at or tonumber(at) > now - tonumber(ARGV[8]) or redis.call('ZSCORE', base .. ':due', conv)
    or redis.call('ZCARD', k .. ':in') > 0 or redis.call('ZCARD', k .. ':open') > 0 or controlled(conv) then
    return { -1, 0, 0, 0, 0 }
  end
end
redis.call('SET', base .. ':g:' .. ARGV[6], '1', 'PX', ARGV[7])
local existed = redis.call('EXISTS', k)
local waiting = redis.call('ZRANGE', k .. ':in', 0, -1)
local messages = #waiting
for _, id in ipairs(waiting) do redis.call('ZREM', base .. ':wait', id) end
for _, turn in ipairs(redis.call('ZRANGE', k .. ':ts', 0, -1)) do
  local t = tkey(turn)
  if redis.call('HGET', t, 'c') == conv then
    messages = messages + redis.call('LLEN', t .. ':dm')
    letters = letters + redis.call('ZREM', base .. ':dead', turn)
    turns = turns + redis.call('DEL', t)
    redis.call('DEL', t .. ':dm')
  end
end
local ids = redis.call('ZCARD', base .. ':i:' .. conv)
redis.call('DEL', k, k .. ':in', k .. ':m', k .. ':ts', k .. ':open', k .. ':names', k .. ':kin', k .. ':mem', base .. ':i:' .. conv)
redis.call('ZREM', base .. ':due', conv)
redis.call('ZREM', base .. ':idle', conv)
return { existed, messages, turns, letters, ids }
