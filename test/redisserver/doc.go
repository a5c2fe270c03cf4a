// Package redisserver starts real redis-server processes for tests: alone, as a
// replica, as a cluster or watched by a sentinel. Each runs on a free port of the
// loopback interface and keeps its files in a folder of its own.
//
// Every function comes in two forms: Start... takes a TB and ends the test when
// something fails; Launch... returns an error, for programs. Processes are stopped
// by their own pid and never by name. A machine without redis-server is an error
// that names the Debian package, not a reason to skip.
package redisserver
