package redisserver

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// busOffset is what Redis adds to a port for the cluster's own traffic.
const busOffset = 10000

// freePort returns a port that is free together with its cluster bus port. It is
// chosen at random below the range from which the kernel takes ports for outgoing
// connections, so that two tests, or a client, rarely ask for the same one.
func freePort() int {
	for {
		port := 12000 + rand.IntN(10000)
		if free(port) && free(port+busOffset) {
			return port
		}
	}
}

func free(port int) bool {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
