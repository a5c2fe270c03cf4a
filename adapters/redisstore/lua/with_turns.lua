-- What the scripts about leases and turns share.

-- number gives the next number of a conversation: larger than all before it, and
-- about the time.
local function number(conv)
  local n = tonumber(redis.call('HGET', ckey(conv), 'seq') or 0)
  n = math.max(now, n + 1)
  redis.call('HSET', ckey(conv), 'seq', num(n))
  return n
end

-- held reports whether the token is that of a lease which has not run out.
local function held(conv, token)
  local v = redis.call('HMGET', ckey(conv), 'tok', 'until')
  return v[1] == token and v[2] and tonumber(v[2]) > now
end

-- unlease ends a lease. Deferred means that new messages do not shorten the wait.
local function unlease(conv, deferred)
  redis.call('HSET', ckey(conv), 'until', '0', 'def', deferred and '1' or '0')
end

-- earlier makes a conversation due at the given time unless it is due before.
local function earlier(conv, at) redis.call('ZADD', base .. ':due', 'LT', num(at), conv) end

-- mine reports whether a turn's id is free or belongs to the conversation.
local function mine(conv, turn)
  local owner = redis.call('HGET', tkey(turn), 'c')
  return not owner or owner == conv
end

-- keep stores a turn and the wamids of its sends, given as pairs of wamid hash and
-- "part:attempt" in ARGV[from..to]. A turn that was finished stays closed unless it
-- has work again.
local function keep(conv, turn, data, settled, dead, from, to)
  local t, n = tkey(turn), redis.call('HGET', tkey(turn), 'n')
  local new = not n
  if new then n = num(number(conv)) end
  redis.call('HSET', t, 'c', conv, 'n', n, 'd', data, 'x', dead)
  if new then redis.call('ZADD', ckey(conv) .. ':ts', n, turn) end
  if new or settled ~= '1' then
    redis.call('ZADD', ckey(conv) .. ':open', n, turn)
    redis.call('PERSIST', t)
  end
  for i = from, to, 2 do redis.call('HSET', t, 's:' .. ARGV[i], ARGV[i + 1]) end
end
