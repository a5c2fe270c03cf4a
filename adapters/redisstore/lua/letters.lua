-- Reads the newest dead letters of a partition: time, turn, its record, and
-- its messages, each behind the hash of its id.
-- ARGV[5] at most how many.
local out, limit = {}, tonumber(ARGV[5])
if limit < 1 then return out end
local all = redis.call('ZREVRANGE', base .. ':dead', 0, limit - 1, 'WITHSCORES')
for i = 1, #all, 2 do
  local data = redis.call('HGET', tkey(all[i]), 'd')
  if data then
    local one = { num(tonumber(all[i + 1])), all[i], data }
    for _, m in ipairs(redis.call('LRANGE', tkey(all[i]) .. ':dm', 0, -1)) do
      one[#one + 1], one[#one + 2] = string.match(m, '^([^|]*)|%d+|%d+|(.*)$')
    end
    out[#out + 1] = one
  end
end
return out
