package redisserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// StartReplica starts a replica of a server and returns when it has caught up.
func StartReplica(t TB, of *Server) *Server {
	t.Helper()
	s, err := LaunchReplica(t.TempDir(), of)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Stop)
	return s
}

// LaunchReplica is StartReplica for programs. The replica persists as its master.
func LaunchReplica(dir string, of *Server) (*Server, error) {
	opt := of.opt
	opt.Args = append(append([]string{}, of.opt.Args...), "--replicaof", "127.0.0.1 "+strconv.Itoa(of.port), "--repl-diskless-sync-delay", "0")
	s, err := Launch(dir, opt)
	if err != nil {
		return nil, err
	}
	err = within(startTime, nil, func() error {
		info, err := s.CLI("INFO", "replication")
		if err == nil && !strings.Contains(info, "master_link_status:up") {
			err = errors.New("the replica has not caught up")
		}
		return err
	})
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Promote makes a replica a master.
func (s *Server) Promote() error {
	_, err := s.CLI("REPLICAOF", "NO", "ONE")
	return err
}

// MasterName is what sentinels call the master they watch.
const MasterName = "mymaster"

// StartSentinel starts a sentinel that watches a master and alone decides that it
// is down, after a second and a half.
func StartSentinel(t TB, master *Server) *Server {
	t.Helper()
	s, err := LaunchSentinel(t.TempDir(), master)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Stop)
	return s
}

// LaunchSentinel is StartSentinel for programs.
func LaunchSentinel(dir string, master *Server) (*Server, error) {
	s := &Server{dir: dir, port: freePort()}
	config := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nprotected-mode no\n"+
		"sentinel monitor %[3]s 127.0.0.1 %[4]d 1\nsentinel down-after-milliseconds %[3]s 1500\nsentinel failover-timeout %[3]s 5000\n",
		s.port, dir, MasterName, master.port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	err := s.run([]string{config, "--sentinel"}, func() error {
		_, err := s.CLI("SENTINEL", "get-master-addr-by-name", MasterName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
