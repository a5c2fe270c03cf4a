-- Changes what was decided about a conversation. ARGV[5] conversation, [6] token of
-- the caller's lease, or '' for a change from outside, [7] how long a pause lasts (µs),
-- or '', then the fields to set, as pairs.
-- Answers 'ok' and the report of the head, 'lost', or 'none' for an unknown conversation.
local conv = ARGV[5]
local k = ckey(conv)
rcall('EXISTS', k, base .. ':due') -- a slot on the move refuses here
if ARGV[6] ~= '' then
  if not held(conv, ARGV[6]) then return { 'lost', '' } end
elseif rcall('HEXISTS', k, 'seq') == 0 then
  return { 'none', '' }
end
if ARGV[7] ~= '' then rcall('HSET', k, 'pu', num(now + tonumber(ARGV[7]))) end
for i = 8, #ARGV, 2 do
  if ARGV[i + 1] == '' then rcall('HDEL', k, ARGV[i]) else rcall('HSET', k, ARGV[i], ARGV[i + 1]) end
end
touch()
if ARGV[6] == '' then
  local called = recall(conv)
  local text = announce(conv)
  if called then tell('news:' .. conv) end
  return { 'ok', text }
end
return { 'ok', (report()) }
