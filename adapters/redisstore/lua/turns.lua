-- Reads the newest turns of a conversation, each as its id, its record and its facts.
-- ARGV[5] conversation, [6] at most how many.
local out, limit = {}, tonumber(ARGV[6])
if limit < 1 then return out end
for _, turn in ipairs(redis.call('ZREVRANGE', ckey(ARGV[5]) .. ':ts', 0, -1)) do
  local all, one = redis.call('HGETALL', tkey(turn)), { turn }
  for i = 1, #all, 2 do
    if all[i] == 'd' then
      table.insert(one, 2, all[i + 1])
    elseif string.sub(all[i], 1, 2) == 'f:' then
      one[#one + 1] = all[i + 1]
    end
  end
  if #one > 1 then out[#out + 1] = one end -- it may have expired
  if #out == limit then break end
end
return out
