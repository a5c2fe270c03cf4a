-- Adds to the books of a day, a hash of figures. ARGV[5] day, [6] how long it is kept
-- (ms), then pairs of field and amount.
local k = base .. ':ls:' .. ARGV[5]
for i = 7, #ARGV, 2 do redis.call('HINCRBY', k, ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', k, ARGV[6])
return '1'
