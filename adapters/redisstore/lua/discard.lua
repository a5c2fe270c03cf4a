-- Removes a dead letter for good; the turn stays in the conversation's history.
-- ARGV[5] turn, [6] how long the turn is kept (µs). Answers 'ok' or 'none'.
local t = tkey(ARGV[5])
if redis.call('ZREM', base .. ':dead', ARGV[5]) == 0 then return { 'none', '' } end
redis.call('DEL', t .. ':dm')
local conv = redis.call('HGET', t, 'c')
if not (conv and redis.call('ZSCORE', ckey(conv) .. ':open', ARGV[5])) then redis.call('PEXPIRE', t, num(tonumber(ARGV[6]) / 1000)) end
return { 'ok', (report()) }
