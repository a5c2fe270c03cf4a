-- Ties a message id to the conversation chosen for it, before any name is moved, so
-- that a repeat after a crash goes to the same one. The tie alone does not make the
-- id known: only the mark set with the stored message does.
-- ARGV[5] how long (µs), [6] owner of the id's mark, [7] id hash, [8] conversation, or
-- '' to look only, [9] conversation that was erased and must not be tied to, or ''.
-- Answers 'd' when the id is known; else 'p' and the conversation it is tied to.
local at = redis.call('ZSCORE', base .. ':i:' .. ARGV[6], ARGV[7])
if at and tonumber(at) > now - tonumber(ARGV[5]) then
  touch()
  return { 'd', '' }
end
local k = base .. ':p:' .. ARGV[7]
local cur = redis.call('GET', k)
if cur and cur == ARGV[9] then
  redis.call('DEL', k)
  cur = false
end
if not cur and ARGV[8] ~= '' then
  redis.call('SET', k, ARGV[8], 'PX', num(tonumber(ARGV[5]) / 1000))
  cur = ARGV[8]
end
return { 'p', cur or '' }
