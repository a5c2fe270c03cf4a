package redisserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
)

func TestServerKeepsWhatItFsynced(t *testing.T) {
	s := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	s.Must(t, "SET", "k", "v")
	pid := s.Pid()
	s.Kill9()
	_, err := s.CLI("PING")
	require.Error(t, err)
	require.NoError(t, s.Restart())
	assert.NotEqual(t, pid, s.Pid())
	assert.Equal(t, "v", s.Must(t, "GET", "k"))
}

func TestPausedServerDoesNotAnswer(t *testing.T) {
	s := redisserver.Start(t, redisserver.Options{})
	s.Pause()
	answered := make(chan error, 1)
	go func() { _, err := s.CLI("PING"); answered <- err }()
	select {
	case <-answered:
		t.Error("a paused server answered")
	case <-time.After(100 * time.Millisecond):
	}
	s.Resume()
	require.NoError(t, <-answered)
}

func TestTLSServer(t *testing.T) {
	s := redisserver.Start(t, redisserver.Options{TLS: true})
	assert.Equal(t, "PONG", s.Must(t, "PING"))
	assert.True(t, strings.HasPrefix(s.URL(), "rediss://"))
}

func TestReplicaFollowsAndIsPromoted(t *testing.T) {
	m := redisserver.Start(t, redisserver.Options{})
	r := redisserver.StartReplica(t, m)
	m.Must(t, "SET", "k", "v")
	// WAIT would speak of the writes of its own connection only.
	require.Eventually(t, func() bool { return r.Must(t, "GET", "k") == "v" }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Promote())
	assert.Equal(t, "v", r.Must(t, "GET", "k"))
	r.Must(t, "SET", "k", "w")
}

func TestSentinelKnowsTheMaster(t *testing.T) {
	m := redisserver.Start(t, redisserver.Options{})
	s := redisserver.StartSentinel(t, m)
	assert.Contains(t, s.Must(t, "SENTINEL", "get-master-addr-by-name", redisserver.MasterName), "127.0.0.1")
}

func TestClusterSurvivesLossOfMaster(t *testing.T) {
	c := redisserver.StartCluster(t, 3, 1)
	require.Len(t, c.Nodes(), 6)
	c.Masters[0].Kill9()
	require.NoError(t, c.Failover(0, true))
	require.NoError(t, c.WaitOK(20*time.Second))
}

func TestMissingServerNamesThePackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := redisserver.Launch(t.TempDir(), redisserver.Options{})
	require.ErrorContains(t, err, "apt-get install redis-server")
}
