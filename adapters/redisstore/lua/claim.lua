-- Leases the conversation of the partition that is due longest.
-- ARGV[5] lease time (µs), [6] most messages to hand out.
-- Answers the report of the head alone when nothing is due; else the report of the next
-- head, conversation, token, memory, messages each behind the hash of its id, and open
-- turns: id, record, facts; controls; "1" when the lease before ran out.
while true do
  local delay, conv = head()
  if not conv or delay > 0 then return { (report()) } end
  local k = ckey(conv)
  local ids = redis.call('ZRANGE', k .. ':in', 0, tonumber(ARGV[6]) - 1)
  local open = redis.call('ZRANGE', k .. ':open', 0, -1)
  local turns = {}
  for _, turn in ipairs(open) do
    local all, one = redis.call('HGETALL', tkey(turn)), { turn }
    for i = 1, #all, 2 do
      if all[i] == 'd' then
        table.insert(one, 2, all[i + 1])
      elseif string.sub(all[i], 1, 2) == 'f:' then
        one[#one + 1] = all[i + 1]
      end
    end
    turns[#turns + 1] = one
  end
  if #ids == 0 and #open == 0 then
    redis.call('ZREM', base .. ':due', conv) -- nothing waits after all
    unlease(conv, false)
  else
    local v = redis.call('HMGET', k, 'tok', 'mem', 'pu', 'pb', 'oo', 'bl', 'until')
    -- About the time, so that the tokens grow even if a failover lost the last ones.
    local token = math.max(now, tonumber(v[1] or 0) + 1)
    local till = now + tonumber(ARGV[5])
    redis.call('ZADD', base .. ':due', num(till), conv)
    redis.call('HSET', k, 'tok', num(token), 'until', num(till), 'def', '0')
    local pending = {}
    if #ids > 0 then
      for i, m in ipairs(redis.call('HMGET', k .. ':m', unpack(ids))) do
        pending[2 * i - 1], pending[2 * i] = ids[i], m
      end
    end
    local after, abandoned = report(), v[7] and v[7] ~= '0'
    tell(after)
    return {
      after, conv, num(token), redis.call('GET', k .. ':mem') or v[2] or '', pending, turns, controls(v[3], v[4], v[5], v[6]),
      abandoned and '1' or '0',
    }
  end
end
