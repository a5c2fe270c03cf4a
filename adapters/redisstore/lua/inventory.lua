-- Lists what a conversation has in other partitions. ARGV[5] conversation.
-- Answers its names, the wamid hashes of its sends, the hashes of ids that were
-- forwarded to it, and the conversations that lost a name to it.
local k, wamids = ckey(ARGV[5]), {}
for _, turn in ipairs(redis.call('ZRANGE', k .. ':ts', 0, -1)) do
  for _, field in ipairs(redis.call('HKEYS', tkey(turn))) do
    if string.sub(field, 1, 2) == 's:' then wamids[#wamids + 1] = string.sub(field, 3) end
  end
end
return {
  redis.call('SMEMBERS', k .. ':names'), wamids,
  redis.call('ZRANGE', base .. ':i:' .. ARGV[5], 0, -1), redis.call('SMEMBERS', k .. ':kin'),
}
