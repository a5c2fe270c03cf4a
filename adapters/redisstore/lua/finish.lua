-- Stores a settled turn and the conversation, takes the turn's inputs out of the
-- inbox and ends the lease. ARGV[5] conversation, [6] token, [7] cursor, [8] memory,
-- [9] turn, [10] record, [11] dead, [12] and [13] how long a turn and a dead letter
-- are kept (µs), [14] number of arguments that name sends, [15] how long the memory is
-- kept (µs), the sends, then input hashes.
local conv, cursor, turn, dead = ARGV[5], tonumber(ARGV[7]), ARGV[9], ARGV[11] == '1'
if not held(conv, ARGV[6]) then return { 'lost', '' } end
if not mine(conv, turn) then return { 'taken', '' } end
local k, t, sends = ckey(conv), tkey(turn), tonumber(ARGV[14])
redis.call('SET', k .. ':mem', ARGV[8], 'PX', num(tonumber(ARGV[15]) / 1000))
redis.call('HDEL', k, 'mem') -- of an earlier release
redis.call('ZADD', base .. ':idle', num(now), conv)
keep(conv, turn, ARGV[10], '1', ARGV[11], 16, 15 + sends)

-- A dead letter is made once. What was replayed from it is another turn's to answer.
local buried = redis.call('HGET', t, 'b')
if not (dead and buried) then
  local taken = {}
  for i = 16 + sends, #ARGV do
    local id = ARGV[i]
    local seq = redis.call('ZSCORE', k .. ':in', id)
    if seq then
      local v, at = redis.call('HGET', k .. ':m', id), redis.call('ZSCORE', base .. ':wait', id)
      redis.call('ZREM', k .. ':in', id)
      redis.call('HDEL', k .. ':m', id)
      redis.call('ZREM', base .. ':wait', id)
      taken[#taken + 1] = { n = tonumber(seq), id = id, at = tonumber(at or now), data = string.match(v or '', '^%d+:(.*)$') or '' }
    end
  end
  if dead then
    table.sort(taken, function(a, b) return a.n < b.n end)
    for _, m in ipairs(taken) do
      redis.call('RPUSH', t .. ':dm', m.id .. '|' .. num(m.n) .. '|' .. num(m.at) .. '|' .. m.data)
    end
    redis.call('HSET', t, 'b', '1')
    redis.call('ZADD', base .. ':dead', num(now), turn)
    redis.call('ZREMRANGEBYSCORE', base .. ':dead', '-inf', num(now - tonumber(ARGV[13])))
  end
end

-- The turn is closed by what the worker has seen; a failure it has not seen leaves
-- it open.
local v = redis.call('HMGET', t, 'sn', 'lf', 'n')
local seen = math.max(cursor, tonumber(v[1] or 0))
redis.call('HSET', t, 'sn', num(seen))
if v[2] and tonumber(v[2]) > seen then
  redis.call('ZADD', k .. ':open', v[3], turn)
else
  redis.call('ZREM', k .. ':open', turn)
  local kept = redis.call('ZSCORE', base .. ':dead', turn) and ARGV[13] or ARGV[12]
  redis.call('PEXPIRE', t, num(tonumber(kept) / 1000))
  redis.call('PEXPIRE', t .. ':dm', num(tonumber(kept) / 1000))
end
redis.call('ZREMRANGEBYSCORE', k .. ':ts', '-inf', num(now - math.max(tonumber(ARGV[12]), tonumber(ARGV[13]))))

unlease(conv, false)
local left = redis.call('ZCARD', k .. ':in')
if redis.call('ZCARD', k .. ':open') > 0 or left > 100 then
  redis.call('ZADD', base .. ':due', num(now), conv) -- more than a lease hands out is not held back
elseif left == 0 then
  redis.call('ZREM', base .. ':due', conv)
else
  local due
  for _, m in ipairs(redis.call('HVALS', k .. ':m')) do
    local at = tonumber(string.match(m, '^(%d+):'))
    if not due or at < due then due = at end
  end
  redis.call('ZADD', base .. ':due', num(due), conv)
end
return { 'ok', announce(conv) }
