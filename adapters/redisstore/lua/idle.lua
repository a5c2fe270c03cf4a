-- Lists conversations that were finished long ago and have nothing left. ARGV[5] how
-- long ago (µs), [6] at most how many, [7] how soon one that has something left is
-- looked at again (µs).
local out, before = {}, now - tonumber(ARGV[5])
for _, conv in ipairs(redis.call('ZRANGEBYSCORE', base .. ':idle', '-inf', num(before), 'LIMIT', 0, ARGV[6])) do
  local k = ckey(conv)
  local left = redis.call('ZCARD', k .. ':in') > 0 or redis.call('ZCARD', k .. ':open') > 0 or controlled(conv)
  if not left then
    for _, turn in ipairs(redis.call('ZRANGE', k .. ':ts', 0, -1)) do
      left = left or redis.call('EXISTS', tkey(turn)) == 1
    end
  end
  if left then
    redis.call('ZADD', base .. ':idle', num(before + tonumber(ARGV[7])), conv)
  else
    out[#out + 1] = conv
  end
end
return out
