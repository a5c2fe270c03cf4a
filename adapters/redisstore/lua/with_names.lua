-- What the scripts about names share.

-- lead reads what a name leads to: its conversation and its link, or nil. A name
-- that was given up leads nowhere; the second result is where it led.
local function lead(v)
  if not v then return nil end
  local conv, link = string.match(v, '^([^|]*)|(.*)$')
  if string.sub(conv, 1, 1) == '-' then return nil, string.sub(conv, 2) end
  return conv, conv, link
end
