-- Writes down what cannot be changed later, at the first start, and tells what is
-- written. It is the one script without the prelude. KEYS[1] the number of partitions,
-- [2] what is known of the keys that seal. ARGV[1] the partitions asked for, [2] a
-- sealed key of names for a store that has none, or '', [3] what that shall replace:
-- the same key as another key sealed it, or ''.
-- Answers the partitions, the sealed key of names or '', '1' when names are keyed.
local partitions = redis.call('GET', KEYS[1])
if not partitions then
  partitions = ARGV[1]
  redis.call('SET', KEYS[1], partitions)
  if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], 'names', ARGV[2], 'keyed', '1') end
elseif ARGV[3] ~= '' then
  if redis.call('HGET', KEYS[2], 'names') == ARGV[3] then redis.call('HSET', KEYS[2], 'names', ARGV[2]) end
elseif ARGV[2] ~= '' then
  redis.call('HSETNX', KEYS[2], 'names', ARGV[2]) -- its names stay plain hashes
end
local v = redis.call('HMGET', KEYS[2], 'names', 'keyed')
return { partitions, v[1] or '', v[2] or '' }
