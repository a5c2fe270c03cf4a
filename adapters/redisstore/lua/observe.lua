-- Records statuses as facts about turns of one partition. 9 arguments for each from
-- ARGV[5]: turn, wamid hash or '', part or '' when only the wamid is given, attempt,
-- state, "1" for a failure, "1" when the wamid's pointer is written, record, "1" when
-- it says what the send costs.
-- Answers the report of the head, then code and conversation for each:
--   n new   m new, and the first to say what its send costs   d known
--   p nothing done, the wamid's pointer has to be written first
--   0 unknown send
local out, woken, wrote = { '' }, false, false

local function observe(turn, wamid, partno, attempt, state, failed, pointed, data, priced)
  local t = tkey(turn)
  local v = redis.call('HMGET', t, 'c', 'n')
  if not v[1] then return '0', '' end
  local conv, k = v[1], ckey(v[1])
  if partno == '' then
    local send = redis.call('HGET', t, 's:' .. wamid)
    if not send then return '0', '' end
    partno, attempt = string.match(send, '^(%d+):(%d+)$')
  elseif wamid ~= '' then
    if pointed then
      redis.call('HSETNX', t, 's:' .. wamid, partno .. ':' .. attempt)
      wrote = true
    elseif redis.call('HEXISTS', t, 's:' .. wamid) == 0 then
      return 'p', ''
    end
  end
  local field = 'f:' .. partno .. ':' .. attempt .. ':' .. state
  if redis.call('HEXISTS', t, field) == 1 then return 'd', conv end
  redis.call('EXISTS', k, k .. ':open', base .. ':due') -- a slot on the move refuses here
  wrote = true
  local seq = num(number(conv))
  if failed then
    redis.call('ZADD', k .. ':open', v[2], turn)
    redis.call('PERSIST', t)
    redis.call('HSET', t, 'lf', seq)
  end
  if failed or redis.call('ZSCORE', k .. ':open', turn) then
    local till = redis.call('HGET', k, 'until')
    if not till or till == '0' then
      earlier(conv, now)
      redis.call('HSET', k, 'def', '0')
      woken = true
    end
  end
  redis.call('HSET', t, field, seq .. ':' .. data, 'lt', seq)
  if priced and redis.call('HSETNX', t, 'fee:' .. partno .. ':' .. attempt, '1') == 1 then return 'm', conv end
  return 'n', conv
end

for i = 5, #ARGV, 9 do
  local code, conv = observe(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5] == '1', ARGV[i + 6] == '1', ARGV[i + 7], ARGV[i + 8] == '1')
  out[#out + 1] = code
  out[#out + 1] = conv
end
if not wrote then touch() end
out[1] = report()
if woken then tell(out[1]) end
return out
