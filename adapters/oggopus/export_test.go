package oggopus

// PageCRC is pageCRC, for tests.
var PageCRC = pageCRC
