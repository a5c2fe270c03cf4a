-- Changes what a name leads to, if it is still what the caller read.
-- ARGV[5] name, [6] what was read, '' for nothing, [7] new value, '' to remove it.
-- Answers 1, or 0 when somebody else was faster.
local k = base .. ':n:' .. ARGV[5]
if (redis.call('GET', k) or '') ~= ARGV[6] then return 0 end
if ARGV[7] == '' then redis.call('DEL', k) else redis.call('SET', k, ARGV[7]) end
return 1
