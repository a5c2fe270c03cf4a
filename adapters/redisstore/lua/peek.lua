-- Tells in how many microseconds the first conversation of the partition is due.
return (report())
