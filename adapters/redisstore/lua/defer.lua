-- Stores a turn, if there is one, and ends the lease for a while. ARGV[5]
-- conversation, [6] token, [7] cursor, [8] wait (µs), [9] turn or '', [10] record,
-- [11] settled, [12] dead, then its sends.
local conv, cursor = ARGV[5], tonumber(ARGV[7])
if not held(conv, ARGV[6]) then return { 'lost', '' } end
if ARGV[9] ~= '' then
  if not mine(conv, ARGV[9]) then return { 'taken', '' } end
  keep(conv, ARGV[9], ARGV[10], ARGV[11], ARGV[12], 13, #ARGV)
end
-- A status of an open turn that came after the lease was given is not slept over.
local unseen = false
for _, turn in ipairs(redis.call('ZRANGE', ckey(conv) .. ':open', 0, -1)) do
  local last = redis.call('HGET', tkey(turn), 'lt')
  unseen = unseen or (last and tonumber(last) > cursor)
end
local due = now
if not unseen then due = now + tonumber(ARGV[8]) end
redis.call('ZADD', base .. ':due', num(due), conv)
unlease(conv, not unseen)
return { 'ok', announce(conv) }
