-- Makes one key of the store older by ARGV[1] microseconds, as if so much time had
-- passed: its expiry, and every time it holds.
local k, d = KEYS[1], tonumber(ARGV[1])
local function num(x) return string.format('%.0f', x) end
local function ends(s) return string.sub(k, -#s) == s end

if ends(':due') or ends(':wait') or ends(':dead') or ends(':idle') or string.find(k, '}:i:', 1, true) then
  local all = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do redis.call('ZADD', k, num(tonumber(all[i + 1]) - d), all[i]) end
elseif string.find(k, '}:b:', 1, true) then
  redis.call('SET', k, num(tonumber(redis.call('GET', k)) - d), 'KEEPTTL')
elseif string.find(k, '}:c:', 1, true) and ends(':m') then
  local all = redis.call('HGETALL', k)
  for i = 1, #all, 2 do
    local due, data = string.match(all[i + 1], '^(%d+)(:.*)$')
    redis.call('HSET', k, all[i], num(tonumber(due) - d) .. data)
  end
elseif string.find(k, '}:c:', 1, true) and redis.call('TYPE', k).ok == 'hash' then
  local till = redis.call('HGET', k, 'until')
  if till and till ~= '0' then redis.call('HSET', k, 'until', num(tonumber(till) - d)) end
  local paused = redis.call('HGET', k, 'pu')
  if paused then redis.call('HSET', k, 'pu', num(tonumber(paused) - d)) end
end
local left = redis.call('PTTL', k)
if left > 0 then
  if left <= d / 1000 then redis.call('DEL', k) else redis.call('PEXPIRE', k, num(left - d / 1000)) end
end
return 1
