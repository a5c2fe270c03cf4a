-- Ends a lease; the conversation is due at once. ARGV[5] conversation, [6] token.
local conv = ARGV[5]
if not held(conv, ARGV[6]) then return { 'lost', '' } end
redis.call('ZADD', base .. ':due', num(now), conv)
unlease(conv, false)
return { 'ok', announce(conv) }
