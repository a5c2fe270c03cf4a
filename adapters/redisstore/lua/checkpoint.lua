-- Stores a turn under a lease. ARGV[5] conversation, [6] token, [7] turn, [8] record,
-- [9] settled, [10] dead, then its sends.
local conv = ARGV[5]
if not held(conv, ARGV[6]) then return { 'lost', '' } end
if not mine(conv, ARGV[7]) then return { 'taken', '' } end
keep(conv, ARGV[7], ARGV[8], ARGV[9], ARGV[10], 11, #ARGV)
return { 'ok', (report()) }
