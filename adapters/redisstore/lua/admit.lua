-- Admits messages of one partition, all or none: everything is read and decided
-- before the first write, and the id is marked as known last.
-- ARGV[5] is how long an id is known (µs). Then 9 for each message:
--   id hash; owner of the id's mark; routing name, or '' when the conversation is
--   given; phone name that must be linked, or ''; conversation given, or '';
--   its tombstone; hold (µs); pause (µs) or ''; record.
-- Answers a report of the head, or '' when that did not change; then code and
-- conversation for each message:
--   n new   d duplicate   f its conversation lives in another partition
--   u the name leads nowhere yet, or to be linked first   e conversation was erased
-- A leased conversation is told of as well: its holder may be another store.
-- This is the script that runs most, so it takes care to call and to format little.
local ttl, stamp = tonumber(ARGV[5]), num(now)
local out, batch, blocked, convs, plan, pins = { '' }, {}, {}, {}, {}, {}

local function decide(id, owner, name, phone, conv, gone)
  if batch[id] then return 'd', batch[id] end
  local at = rcall('ZSCORE', base .. ':i:' .. owner, id)
  if at and tonumber(at) > now - ttl then
    if name == '' then return 'd', conv end
    local _, was = lead(rcall('GET', base .. ':n:' .. name))
    return 'd', was or ''
  end
  if name == '' then
    if rcall('EXISTS', base .. ':g:' .. gone) == 1 then return 'e', conv end
    return 'n', conv
  end
  if blocked[name] then return 'u', '' end
  local v = rcall('MGET', base .. ':n:' .. name, base .. ':p:' .. id)
  if v[2] then return 'u', '' end
  local to, _, link = lead(v[1])
  if not to or (phone ~= '' and link ~= phone) then return 'u', '' end
  if string.match(to, '%-(%d+)$') ~= part then return 'f', to end
  return 'n', to
end

for i = 6, #ARGV, 9 do
  local id, name = ARGV[i], ARGV[i + 2]
  local code, conv = decide(id, ARGV[i + 1], name, ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
  if code == 'n' then
    local s = convs[conv]
    if not s then
      local k = ckey(conv)
      local v = rcall('HMGET', k, 'seq', 'until', 'def', 'tok')
      -- Looked at only so that a slot on the move refuses before anything is written.
      rcall('EXISTS', k .. ':in', k .. ':m', base .. ':wait', base .. ':due')
      local idle = not v[2] or v[2] == '0'
      s = { key = k, seq = tonumber(v[1] or 0), free = idle and v[3] ~= '1', leased = not idle and tonumber(v[2]) > now, known = v[4] }
      convs[conv] = s
    end
    batch[id] = conv
    plan[#plan + 1] = i
    plan[#plan + 1] = s
  elseif code == 'u' then
    blocked[name] = true
  elseif code == 'f' then
    pins[#pins + 1] = id
    pins[#pins + 1] = conv
  end
  out[#out + 1] = code
  out[#out + 1] = conv
end

for i = 1, #pins, 2 do rcall('SET', base .. ':p:' .. pins[i], pins[i + 1], 'PX', num(ttl / 1000)) end
for n = 1, #plan, 2 do
  local i, s = plan[n], plan[n + 1]
  local id, due = ARGV[i], now + tonumber(ARGV[i + 6])
  if s.known and due == now then due = now - 600000000 end -- ports.HeadStart
  if now > s.seq then s.seq = now else s.seq = s.seq + 1 end
  rcall('ZADD', s.key .. ':in', num(s.seq), id)
  rcall('HSET', s.key .. ':m', id, num(due) .. ':' .. ARGV[i + 8])
  rcall('ZADD', base .. ':wait', stamp, id)
  if not s.due or due < s.due then s.due = due end
  if ARGV[i + 7] ~= '' then s.pause = math.max(s.pause or 0, tonumber(ARGV[i + 7])) end
end
local changed = false
for conv, s in pairs(convs) do
  rcall('HSET', s.key, 'seq', num(s.seq))
  if s.pause then
    if now + s.pause > tonumber(rcall('HGET', s.key, 'pu') or 0) then
      rcall('HSET', s.key, 'pu', num(now + s.pause), 'pb', 'operator')
    end
    if recall(conv) then changed = true end
  end
  if s.free and rcall('ZADD', base .. ':due', 'LT', 'CH', num(s.due), conv) == 1 then changed = true end
end
for n = 1, #plan, 2 do
  local i = plan[n]
  local ids = base .. ':i:' .. ARGV[i + 1]
  rcall('ZADD', ids, stamp, ARGV[i])
  rcall('PEXPIRE', ids, num(ttl / 1000))
  if plan[n + 1].seq % 16 == 0 then rcall('ZREMRANGEBYSCORE', ids, '-inf', num(now - ttl)) end
  if ARGV[i + 2] == '' then rcall('DEL', base .. ':p:' .. ARGV[i]) end
end
if #plan == 0 and #pins == 0 then touch() end
if changed then
  local text, first = report()
  out[1] = text
  if convs[first] then tell(text) end
end
for conv, s in pairs(convs) do
  if s.leased then tell('news:' .. conv) end
end
return out
