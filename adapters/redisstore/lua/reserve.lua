-- Sets money aside. ARGV[10] to [12] caps of user, number and all, 0 for none,
-- [13] how long the reservation holds (µs), then four arguments a step: amount,
-- percentages below and from, "1" for once. Answers the step (from 0, -1 for none), what was
-- spent of the three when the call came, and what is now.
local before = read('s')
lapse()
local spent, aside = read('s'), read('h')
local own, had = { 0, 0, 0 }, rcall('HGET', held, id)
if had then
  local amount, ofuser, ofnumber = string.match(had, '^(%d+)|([^|]*)|(.*)$')
  own = { ofuser == user and amount or 0, ofnumber == number and amount or 0, amount }
end

local function allowed(amount, below, from)
  local late = from == 0
  for i = 1, 3 do
    local cap = tonumber(ARGV[9 + i])
    local others = tonumber(aside[i]) - tonumber(own[i])
    local gone = tonumber(spent[i])
    if cap > 0 and (gone >= cap / 100 * below or gone + others + amount > cap and others > 0) then return false end
    late = late or cap > 0 and gone >= cap / 100 * from
  end
  return late
end

local step = -1
for i = 14, #ARGV, 4 do
  if allowed(tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]))
    and (ARGV[i + 3] ~= '1' or rcall('SADD', base .. ':lo:' .. day, user) == 1) then
    drop(id, false)
    add('h', user, number, ARGV[i])
    rcall('HSET', held, id, ARGV[i] .. '|' .. user .. '|' .. number)
    rcall('ZADD', ends, num(now + tonumber(ARGV[13])), id)
    step = (i - 14) / 4
    break
  end
end
kept()
return { tostring(step), before[1], before[2], before[3], spent[1], spent[2], spent[3] }
