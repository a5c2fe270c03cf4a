package main

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/redisserver"
)

// startRedis starts the servers: a cluster, or a master, with -replica a replica of
// it, and the network the bots reach the master through.
func (f *fleet) startRedis() (err error) {
	dir := func(name string) string {
		d := filepath.Join(f.dir, name)
		_ = os.Mkdir(d, 0o700) // Launch tells when it is not there
		return d
	}
	if f.plan.cluster {
		f.cluster, err = redisserver.LaunchCluster(dir("cluster"), 3, 0, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
		return err
	}
	f.redis, err = redisserver.Launch(dir("redis0"), redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	if err != nil {
		return err
	}
	if f.plan.replica {
		if f.replica, err = redisserver.LaunchReplica(dir("redis1"), f.redis); err != nil {
			return err
		}
	}
	f.network, err = rig.NewBalancer(f.redis.Addr())
	return err
}

// redisURL is how the bots reach the servers. A cluster tells its clients the
// addresses of its nodes, so there is no network of ours before it.
func (f *fleet) redisURL() string {
	if f.cluster != nil {
		return f.cluster.URL()
	}
	return "redis://" + f.network.Addr
}

// loseSlots kills the owner of a third of the slots and brings it back.
func (f *fleet) loseSlots(ctx context.Context, rng *rand.Rand) {
	owner := f.cluster.Masters[rng.IntN(len(f.cluster.Masters))]
	owner.Kill9()
	pause(ctx, rng, 0, 4*time.Second) // the others call it failed after one
	_ = owner.Restart()               // heal tries again
}

// servers are all that run.
func (f *fleet) servers() (all []*redisserver.Server) {
	if f.cluster != nil {
		return f.cluster.Nodes()
	}
	for _, r := range []*redisserver.Server{f.redis, f.replica} {
		if r != nil {
			all = append(all, r)
		}
	}
	return all
}

// failOver kills the master, makes the replica take its place, points the network
// at it, and brings the old master back as the replica.
func (f *fleet) failOver(ctx context.Context, rng *rand.Rand) {
	old := f.redis
	old.Kill9()
	pause(ctx, rng, 0, 300*time.Millisecond)
	if f.replica.Promote() != nil {
		_ = old.Restart()
		return
	}
	f.redis, f.replica = f.replica, old
	f.network.Retarget(f.redis.Addr())
	pause(ctx, rng, 0, time.Second)
	f.follow(ctx)
}

// follow brings the replica back if it is down, and makes it follow the master.
func (f *fleet) follow(ctx context.Context) {
	if f.replica.Pid() == 0 && f.replica.Restart() != nil {
		return
	}
	host, port, _ := net.SplitHostPort(f.redis.Addr())
	_, _ = f.replica.CLI("REPLICAOF", host, port)
	f.awaitReplica(ctx)
}

// restartMaster brings the master back as one, also where it began as a replica.
func (f *fleet) restartMaster() {
	if f.redis.Restart() == nil && f.replica != nil {
		_, _ = f.redis.CLI("REPLICAOF", "NO", "ONE")
	}
}

// awaitReplica waits until the replica has caught up: a failover to one that has
// not would lose what the old master alone acknowledged before.
func (f *fleet) awaitReplica(ctx context.Context) {
	for range 600 {
		info, err := f.replica.CLI("INFO", "replication")
		if err == nil && strings.Contains(info, "master_link_status:up") {
			return
		}
		if rig.Sleep(ctx, 50*time.Millisecond) != nil {
			return
		}
	}
}
