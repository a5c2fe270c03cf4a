-- Sets money aside. ARGV[10] to [12] caps of user, number and all, 0 for none,
-- [13] how long the reservation holds (µs), then three arguments a step: amount,
-- percentage below, "1" for once. Answers the step (from 0, -1 for none), what was
-- spent of the three when the call came, and what is now.
local before = read('s')
lapse()
local spent, aside = read('s'), read('h')
local own, had = { 0, 0, 0 }, rcall('HGET', held, id)
if had then
  local amount, ofuser, ofnumber = string.match(had, '^(%d+)|([^|]*)|(.*)$')
  own = { ofuser == user and amount or 0, ofnumber == number and amount or 0, amount }
end

local function allowed(amount, below)
  for i = 1, 3 do
    local cap = tonumber(ARGV[9 + i])
    local others = tonumber(aside[i]) - tonumber(own[i])
    local used = tonumber(spent[i]) + others
    if cap > 0 and (used >= cap / 100 * below or used + amount > cap and others > 0) then return false end
  end
  return true
end

local step = -1
for i = 14, #ARGV, 3 do
  if allowed(tonumber(ARGV[i]), tonumber(ARGV[i + 1]))
    and (ARGV[i + 2] ~= '1' or rcall('SADD', base .. ':lo:' .. day, user) == 1) then
    drop(id, false)
    add('h', user, number, ARGV[i])
    rcall('HSET', held, id, ARGV[i] .. '|' .. user .. '|' .. number)
    rcall('ZADD', ends, num(now + tonumber(ARGV[13])), id)
    step = (i - 14) / 3
    break
  end
end
kept()
return { tostring(step), before[1], before[2], before[3], spent[1], spent[2], spent[3] }
