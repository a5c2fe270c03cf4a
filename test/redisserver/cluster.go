package redisserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const slots = 16384

// Cluster is a Redis Cluster on this machine.
type Cluster struct {
	// Masters are the nodes that began as masters, Replicas those of each of them.
	Masters  []*Server
	Replicas [][]*Server
}

// StartCluster starts a cluster that keeps everything in memory and returns when
// every node calls it ok.
func StartCluster(t TB, masters, replicas int) *Cluster {
	t.Helper()
	c, err := LaunchCluster(t.TempDir(), masters, replicas, Options{})
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(c.Stop)
	return c
}

// LaunchCluster is StartCluster for programs, with options for every node.
func LaunchCluster(dir string, masters, replicas int, opt Options) (c *Cluster, err error) {
	c = &Cluster{}
	defer func() {
		if err != nil {
			c.Stop()
		}
	}()
	opt.Args = append(append([]string{}, opt.Args...), "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
		"--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0")
	launch := func(name string) (*Server, error) {
		own := filepath.Join(dir, name)
		if err := os.MkdirAll(own, 0o700); err != nil {
			return nil, err
		}
		return Launch(own, opt)
	}
	for i := range masters {
		s, err := launch("m" + strconv.Itoa(i))
		if err != nil {
			return c, err
		}
		c.Masters, c.Replicas = append(c.Masters, s), append(c.Replicas, nil)
	}
	for i := range masters {
		for j := range replicas {
			s, err := launch(fmt.Sprintf("r%d.%d", i, j))
			if err != nil {
				return c, err
			}
			c.Replicas[i] = append(c.Replicas[i], s)
		}
	}
	return c, c.form()
}

// form gives the slots to the masters, introduces the nodes to each other and
// gives each master its replicas.
func (c *Cluster) form() error {
	first := c.Masters[0]
	for i, m := range c.Masters {
		from, to := i*slots/len(c.Masters), (i+1)*slots/len(c.Masters)-1
		if _, err := m.CLI("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(from), strconv.Itoa(to)); err != nil {
			return fmt.Errorf("assign slots: %w", err)
		}
		if _, err := m.CLI("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return fmt.Errorf("set epoch: %w", err)
		}
	}
	nodes := c.Nodes()
	for _, n := range nodes[1:] {
		if _, err := n.CLI("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(first.port)); err != nil {
			return fmt.Errorf("meet: %w", err)
		}
	}
	if err := within(startTime, nil, func() error { return c.known(len(nodes)) }); err != nil {
		return err
	}
	for i, m := range c.Masters {
		id, err := m.CLI("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		for _, r := range c.Replicas[i] {
			err := within(startTime, nil, func() error { _, err := r.CLI("CLUSTER", "REPLICATE", id); return err })
			if err != nil {
				return fmt.Errorf("replicate: %w", err)
			}
		}
	}
	return c.WaitOK(startTime)
}

func (c *Cluster) known(n int) error {
	for _, s := range c.Nodes() {
		list, err := s.CLI("CLUSTER", "NODES")
		if err != nil {
			return err
		}
		if got := strings.Count(list, " connected"); got != n || strings.Contains(list, "handshake") {
			return fmt.Errorf("a node knows %d of %d nodes", got, n)
		}
	}
	return nil
}

// WaitOK waits until every running node calls the cluster ok, and each replica is
// in step with its master.
func (c *Cluster) WaitOK(d time.Duration) error {
	return within(d, nil, func() error {
		for _, s := range c.Nodes() {
			if s.Pid() == 0 {
				continue
			}
			info, err := s.CLI("CLUSTER", "INFO")
			if err != nil {
				return err
			}
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_ok:"+strconv.Itoa(slots)) {
				return errors.New("the cluster is not ok")
			}
			repl, err := s.CLI("INFO", "replication")
			if err != nil {
				return err
			}
			if strings.Contains(repl, "master_link_status:down") {
				return errors.New("a replica has not caught up")
			}
		}
		return nil
	})
}

// Failover makes the first replica of master i take its place, with the master's
// agreement, or without it when the master is gone.
func (c *Cluster) Failover(i int, force bool) error {
	args := []string{"CLUSTER", "FAILOVER"}
	if force {
		args = append(args, "TAKEOVER")
	}
	r := c.Replicas[i][0]
	if _, err := r.CLI(args...); err != nil {
		return err
	}
	return within(startTime, nil, func() error {
		role, err := r.CLI("ROLE")
		if err == nil && !strings.HasPrefix(role, "master") {
			err = errors.New("the replica is not a master yet")
		}
		return err
	})
}

// Nodes are all nodes, masters first.
func (c *Cluster) Nodes() []*Server {
	out := append([]*Server{}, c.Masters...)
	for _, r := range c.Replicas {
		out = append(out, r...)
	}
	return out
}

// URL names all masters: redis+cluster://host:port,host:port.
func (c *Cluster) URL() string {
	var addrs []string
	for _, m := range c.Masters {
		addrs = append(addrs, m.Addr())
	}
	return "redis+cluster://" + strings.Join(addrs, ",")
}

// Stop ends every node.
func (c *Cluster) Stop() {
	for _, s := range c.Nodes() {
		s.Kill9() // nothing here is worth an orderly end
	}
}
