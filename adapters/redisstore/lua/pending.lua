-- Reads the messages of a leased conversation that no finished turn has consumed, in
-- order of admission. It writes nothing. ARGV[5] conversation, [6] token, [7] most
-- messages to hand out. Answers 'lost', or 'ok' and the
-- messages, each behind the hash of its id.
local conv = ARGV[5]
local k = ckey(conv)
-- Looked at only so that a slot on the move refuses: it might show a part.
redis.call('EXISTS', k, k .. ':in', k .. ':m')
if not held(conv, ARGV[6]) then return { 'lost' } end
local ids = redis.call('ZRANGE', k .. ':in', 0, tonumber(ARGV[7]) - 1)
if #ids == 0 then return { 'ok' } end
local out = { 'ok' }
for i, m in ipairs(redis.call('HMGET', k .. ':m', unpack(ids))) do
  out[2 * i], out[2 * i + 1] = ids[i], m
end
return out
