-- Replaces one stored value if it is still what was read. KEYS[1] the key. ARGV[1]
-- "hash", "string" or "list", [2] field or index, [3] what was read, [4] what it becomes. Answers
-- 1, or 0 when somebody else has written meanwhile: then it is sealed anyway.
if ARGV[1] == 'hash' then
  if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
elseif ARGV[1] == 'string' then
  if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end
  redis.call('SET', KEYS[1], ARGV[4], 'KEEPTTL')
else
  if redis.call('LINDEX', KEYS[1], ARGV[2]) ~= ARGV[3] then return 0 end
  redis.call('LSET', KEYS[1], ARGV[2], ARGV[4])
end
return 1
