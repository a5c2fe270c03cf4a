-- Empties a bucket and keeps it empty; then there is one token. ARGV[5] bucket, [6]
-- capacity, [7] every (µs), [8] how long (µs).
local k = base .. ':b:' .. ARGV[5]
local full = now + tonumber(ARGV[8]) + (tonumber(ARGV[6]) - 1) * tonumber(ARGV[7])
if full > tonumber(redis.call('GET', k) or 0) then
  redis.call('SET', k, num(full), 'PX', num(math.ceil((full - now) / 1000) + 1))
end
return '0'
