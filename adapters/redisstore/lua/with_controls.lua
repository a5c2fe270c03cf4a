-- What the scripts about controls share. A conversation's hash holds them: "pu" until
-- when it is paused (µs), "pb" the cause, "oo" opted out, "bl" blocked.

-- controls words the fields as they are told: what is left of the pause (µs), its
-- cause, opted out, blocked; '' for a conversation about which nothing was decided.
local function controls(until_, by, out, blocked)
  local left = math.max(0, tonumber(until_ or 0) - now)
  if left == 0 and not out and not blocked then return '' end
  return num(left) .. '|' .. (left > 0 and by or '') .. '|' .. (out or '0') .. '|' .. (blocked or '0')
end

-- recall ends a lease or a delay, so that the next worker looks at once. It reports
-- whether it did.
local function recall(conv)
  local v = rcall('HMGET', ckey(conv), 'until', 'def')
  local idle = not v[1] or v[1] == '0'
  if idle and v[2] ~= '1' then return false end
  rcall('HSET', ckey(conv), 'until', '0', 'def', '0')
  rcall('ZADD', base .. ':due', num(now), conv)
  return true
end

-- controlled reports whether something was decided that is in force: it has to be known
-- about whom.
local function controlled(conv)
  local v = rcall('HMGET', ckey(conv), 'pu', 'oo', 'bl')
  return v[2] or v[3] or tonumber(v[1] or 0) > now
end
