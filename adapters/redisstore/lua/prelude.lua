-- Every script begins with this. KEYS[1] is the partition's hash tag, "{wa:p7}": all
-- keys a script touches begin with it, so they share a slot. Times are microseconds
-- of the server's clock; they fit a double exactly until the year 2255.
-- ARGV[1] channel of wake-ups, [2] number of the partition, [3] the calling store,
-- [4] "1" when the caller waits until the write is confirmed. Own arguments follow.
local base, channel, part, caller, confirm = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local rcall = redis.call
local clock = rcall('TIME')
local now = clock[1] * 1000000 + clock[2]

-- tostring() would round to 14 digits.
local function num(x) return string.format('%.0f', x) end

local function ckey(conv) return base .. ':c:' .. conv end
local function tkey(turn) return base .. ':t:' .. turn end

-- head tells in how many microseconds the first conversation of the partition is
-- due, negative when it is overdue, and which it is; nil when nothing waits.
local function head()
  local h = redis.call('ZRANGE', base .. ':due', 0, 0, 'WITHSCORES')
  if h[1] then return tonumber(h[2]) - now, h[1] end
  return nil, nil
end

-- report tells of the head as stores take note of it: the time, then the delay or
-- nothing. By the time they tell an older report from a newer one.
local function report()
  local delay, first = head()
  return num(now) .. '/' .. (delay and num(delay) or ''), first
end

-- tell lets the other stores know of the head, by a report, or of a message for a
-- leased conversation, by "news:" and its id. It comes last and may fail: a store that
-- hears nothing looks by itself, a little later, and news are no more than a hint.
local function tell(text) redis.pcall('PUBLISH', channel, part .. ':' .. caller .. ':' .. text) end

-- announce tells of the head if it is the given conversation: any other head was
-- told of when it became that.
local function announce(conv)
  local text, first = report()
  if first == conv then tell(text) end
  return text
end

-- touch makes sure that the script has written, so that waiting for confirmation
-- covers what an earlier, unconfirmed call wrote.
local function touch()
  if confirm then redis.call('SET', base .. ':beat', num(now)) end
end
