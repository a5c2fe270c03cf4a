-- Prolongs a lease. ARGV[5] conversation, [6] token, [7] lease time (µs).
local conv = ARGV[5]
if not held(conv, ARGV[6]) then return { 'lost', '' } end
local till = num(now + tonumber(ARGV[7]))
redis.call('ZADD', base .. ':due', till, conv)
redis.call('HSET', ckey(conv), 'until', till)
return { 'ok', (report()) }
