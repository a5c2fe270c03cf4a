-- Removes a name that leads, or led, to a conversation, and the ids marked under it.
-- A name that leads to somebody else by now is left alone. ARGV[5] how long ids are
-- known (µs), [6] name, [7] conversation, then hashes of ids that were forwarded.
-- Answers how many names and known ids were removed.
local k, ids, names, known = base .. ':n:' .. ARGV[6], base .. ':i:' .. ARGV[6], 0, 0
for i = 8, #ARGV do redis.call('DEL', base .. ':p:' .. ARGV[i]) end
local to, was = lead(redis.call('GET', k))
if was and was ~= ARGV[7] then return { 0, 0 } end
if to then names = 1 end
known = redis.call('ZCOUNT', ids, '(' .. num(now - tonumber(ARGV[5])), '+inf')
redis.call('DEL', k, ids)
return { names, known }
