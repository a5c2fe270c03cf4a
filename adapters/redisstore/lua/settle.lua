-- Ends a reservation and adds what was spent. ARGV[10] amount. Answers as reserve does.
local before = read('s')
drop(id, false)
lapse()
add('s', user, number, ARGV[10])
kept()
local spent = read('s')
return { '0', before[1], before[2], before[3], spent[1], spent[2], spent[3] }
