-- Removes a name of a conversation that is to be forgotten, unless somebody wrote under
-- it lately: then its ids must stay known, and the conversation too. ARGV[5] how long ids
-- are known (µs), [6] name, [7] conversation.
-- Answers "gone" and what the name led to, "known", or "other" for one that leads elsewhere.
local k, ids = base .. ':n:' .. ARGV[6], base .. ':i:' .. ARGV[6]
local v = redis.call('GET', k)
local _, was = lead(v)
if was ~= ARGV[7] then return { 'other', '' } end
if redis.call('ZCOUNT', ids, '(' .. num(now - tonumber(ARGV[5])), '+inf') > 0 then return { 'known', '' } end
redis.call('DEL', k, ids)
return { 'gone', v }
