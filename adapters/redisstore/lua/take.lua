-- Takes a token from a bucket, or tells how long there is none (µs). A bucket is
-- known by when it will be full: it lacks one token for each "every" until then.
-- ARGV[5] bucket, [6] capacity, [7] every (µs).
local k, every = base .. ':b:' .. ARGV[5], tonumber(ARGV[7])
local full = math.max(now, tonumber(redis.call('GET', k) or 0)) + every
local wait = full - now - tonumber(ARGV[6]) * every
if wait > 0 then return num(wait) end
redis.call('SET', k, num(full), 'PX', num(math.ceil((full - now) / 1000) + 1))
return '0'
