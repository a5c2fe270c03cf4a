-- What the scripts about budgets share. A day's budgets are one hash: 's' and 'h' with
-- the budget's name hold what was spent and what is set aside. Names are "u:" and the
-- hash of a user, "n:" and a business number, and "t" for all. Amounts go from
-- argument to HINCRBY as text, so that they stay exact; compared as doubles they are,
-- too, up to nine thousand dollars, and to a millionth of a cent above.
-- ARGV[5] day, [6] id, [7] hash of the user or '', [8] number, [9] how long the day is
-- kept (ms).
local day, id, user, number, keep = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local purse, held, ends = base .. ':lb:' .. day, base .. ':lr:' .. day, base .. ':lx:' .. day
rcall('EXISTS', purse, held, ends, base .. ':lo:' .. day) -- a slot on the move refuses here

local function names(user, number)
  local all = { 'n:' .. number, 't' }
  if user ~= '' then all[3] = 'u:' .. user end
  return all
end

local function add(kind, user, number, amount)
  for _, name in ipairs(names(user, number)) do rcall('HINCRBY', purse, kind .. name, amount) end
end

-- drop forgets a reservation, which counts as spent when it lapsed.
local function drop(id, lapsed)
  local v = rcall('HGET', held, id)
  rcall('ZREM', ends, id)
  if not v then return end
  rcall('HDEL', held, id)
  local amount, user, number = string.match(v, '^(%d+)|([^|]*)|(.*)$')
  add('h', user, number, '-' .. amount)
  if lapsed then add('s', user, number, amount) end
end

local function lapse()
  for _, old in ipairs(rcall('ZRANGEBYSCORE', ends, '-inf', num(now), 'LIMIT', 0, 100)) do drop(old, true) end
end

local function read(kind)
  local v = rcall('HMGET', purse, kind .. 'u:' .. user, kind .. 'n:' .. number, kind .. 't')
  return { v[1] or '0', v[2] or '0', v[3] or '0' }
end

local function kept()
  for _, k in ipairs({ purse, held, ends, base .. ':lo:' .. day }) do rcall('PEXPIRE', k, keep) end
end
