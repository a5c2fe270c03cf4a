-- Every script begins with this. KEYS[1] is the partition's hash tag, "{wa:p7}": all
-- keys a script touches begin with it, so they share a slot. Times are microseconds
-- of the server's clock; they fit a double exactly until the year 2255.
-- ARGV[1] channel of wake-ups, [2] number of the partition, [3] the calling store,
-- [4] "1" when the caller waits until the write is confirmed. Own arguments follow.
local base, channel, part, caller, confirm = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- tostring() would round to 14 digits.
local function num(x) return string.format('%.0f', x) end

local function ckey(conv) return base .. ':c:' .. conv end
local function tkey(turn) return base .. ':t:' .. turn end

-- head tells in how many microseconds the first conversation of the partition is
-- due, negative when it is overdue, and which it is; nil when nothing waits.
local function head()
  local h = redis.call('ZRANGE', base .. ':due', 0, 0, 'WITHSCORES')
  if h[1] then return tonumber(h[2]) - now, h[1] end
  return nil, nil
end

-- report tells of the head as stores take note of it: the time, then the delay or
-- nothing. By the time they tell an older report from a newer one.
local function report()
  local delay, first = head()
  return num(now) .. '/' .. (delay and num(delay) or ''), first
end

-- tell lets the waiting stores know of the head. It comes last and may fail: a
-- store that hears nothing looks by itself, a little later.
local function tell(text) redis.pcall('PUBLISH', channel, part .. ':' .. caller .. ':' .. text) end

-- announce tells of the head if it is the given conversation: any other head was
-- told of when it became that.
local function announce(conv)
  local text, first = report()
  if first == conv then tell(text) end
  return text
end

-- touch makes sure that the script has written, so that waiting for confirmation
-- covers what an earlier, unconfirmed call wrote.
local function touch()
  if confirm then redis.call('SET', base .. ':beat', num(now)) end
end

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
local function earlier(conv, at)
  local cur = redis.call('ZSCORE', base .. ':due', conv)
  if not cur or tonumber(cur) > at then redis.call('ZADD', base .. ':due', num(at), conv) end
end

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

-- lead reads what a name leads to: its conversation and its link, or nil. A name
-- that was given up leads nowhere; the second result is where it led.
local function lead(v)
  if not v then return nil end
  local conv, link = string.match(v, '^([^|]*)|(.*)$')
  if string.sub(conv, 1, 1) == '-' then return nil, string.sub(conv, 2) end
  return conv, conv, link
end
