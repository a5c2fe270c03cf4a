-- Admits messages of one partition, all or none: everything is read and decided
-- before the first write, and the id is marked as known last.
-- ARGV[5] is how long an id is known (µs). Then 8 for each message:
--   id hash; owner of the id's mark; routing name, or '' when the conversation is
--   given; phone name that must be linked, or ''; conversation given, or '';
--   its tombstone; hold (µs); record.
-- Answers the report of the head, then code and conversation for each message:
--   n new   d duplicate   f its conversation lives in another partition
--   u the name leads nowhere yet, or to be linked first   e conversation was erased
local ttl = tonumber(ARGV[5])
local out, batch, blocked, convs, order, plan = { '' }, {}, {}, {}, {}, {}

local function open(conv)
  local s = convs[conv]
  if s then return s end
  local k = ckey(conv)
  local v = redis.call('HMGET', k, 'seq', 'until', 'def')
  -- Looked at only so that a slot on the move refuses before anything is written.
  redis.call('EXISTS', k .. ':in', k .. ':m', base .. ':wait', base .. ':due')
  s = { key = k, seq = tonumber(v[1] or 0), free = (not v[2] or v[2] == '0') and v[3] ~= '1' }
  convs[conv] = s
  order[#order + 1] = conv
  return s
end

local function decide(id, owner, name, phone, conv, gone)
  if batch[id] then return 'd', batch[id] end
  local at = redis.call('ZSCORE', base .. ':i:' .. owner, id)
  if at and tonumber(at) > now - ttl then
    if name == '' then return 'd', conv end
    local _, was = lead(redis.call('GET', base .. ':n:' .. name))
    return 'd', was or ''
  end
  if name == '' then
    if redis.call('EXISTS', base .. ':g:' .. gone) == 1 then return 'e', conv end
    return 'n', conv
  end
  if blocked[name] or redis.call('EXISTS', base .. ':p:' .. id) == 1 then return 'u', '' end
  local to, _, link = lead(redis.call('GET', base .. ':n:' .. name))
  if not to or (phone ~= '' and link ~= phone) then return 'u', '' end
  if string.match(to, '%-(%d+)$') ~= part then return 'f', to end
  return 'n', to
end

local wrote = false
for i = 6, #ARGV, 8 do
  local id, owner, name, given = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 4]
  local code, conv = decide(id, owner, name, ARGV[i + 3], given, ARGV[i + 5])
  if code == 'u' then blocked[name] = true end
  if code == 'n' then
    batch[id] = conv
    plan[#plan + 1] = { conv = open(conv), id = id, owner = owner, given = given ~= '', due = now + tonumber(ARGV[i + 6]), data = ARGV[i + 7] }
  elseif code == 'f' then
    plan[#plan + 1] = { pin = id, to = conv }
  end
  out[#out + 1] = code
  out[#out + 1] = conv
end

for _, p in ipairs(plan) do
  wrote = true
  if p.pin then
    redis.call('SET', base .. ':p:' .. p.pin, p.to, 'PX', num(ttl / 1000))
  else
    local s = p.conv
    s.seq = math.max(now, s.seq + 1)
    redis.call('ZADD', s.key .. ':in', num(s.seq), p.id)
    redis.call('HSET', s.key .. ':m', p.id, num(p.due) .. ':' .. p.data)
    redis.call('ZADD', base .. ':wait', num(now), p.id)
    if not s.due or p.due < s.due then s.due = p.due end
  end
end
for _, conv in ipairs(order) do
  local s = convs[conv]
  redis.call('HSET', s.key, 'seq', num(s.seq))
  if s.free then earlier(conv, s.due) end
end
for _, p in ipairs(plan) do
  if p.conv then
    local ids = base .. ':i:' .. p.owner
    redis.call('ZADD', ids, num(now), p.id)
    redis.call('ZREMRANGEBYSCORE', ids, '-inf', num(now - ttl))
    redis.call('PEXPIRE', ids, num(ttl / 1000))
    if p.given then redis.call('DEL', base .. ':p:' .. p.id) end
  end
end
if not wrote then touch() end
local text, first = report()
out[1] = text
if first and convs[first] then tell(text) end
return out
