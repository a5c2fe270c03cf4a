-- Reads what was decided about a conversation. ARGV[5] conversation. Answers 'ok' and
-- the words of it, or 'none'.
local v = rcall('HMGET', ckey(ARGV[5]), 'seq', 'pu', 'pb', 'oo', 'bl')
if not v[1] then return { 'none', '' } end
return { 'ok', controls(v[2], v[3], v[4], v[5]) }
