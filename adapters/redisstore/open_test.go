package redisstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/ports"
	"whatsappnode/test/redisserver"
)

func TestParseAck(t *testing.T) {
	for in, want := range map[string]redisstore.Ack{
		"": redisstore.AckMemory, "memory": redisstore.AckMemory, "fsync": redisstore.AckFsync, "replicas:2": redisstore.AckReplicas(2),
	} {
		got, err := redisstore.ParseAck(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got)
		again, err := redisstore.ParseAck(got.String())
		require.NoError(t, err)
		assert.Equal(t, want, again)
	}
	for _, bad := range []string{"disk", "replicas", "replicas:", "replicas:0", "replicas:-1", "replicas:x", "Memory"} {
		_, err := redisstore.ParseAck(bad)
		assert.Error(t, err, bad)
	}
}

func TestURLs(t *testing.T) {
	for in, want := range map[string][2]string{
		"redis://h:1":                                  {"redis://h:1", ""},
		"redis://u:p@h:1,i:2/0":                        {"redis://u:p@h:1/0?addr=i%3A2", ""},
		"rediss+cluster://h:1,i,j:3":                   {"rediss://h:1?addr=i%3A6379&addr=j%3A3", "cluster"},
		"redis+sentinel://s:1,t:2/mymaster/3":          {"redis://s:1?addr=t%3A2&db=3&master_set=mymaster", "sentinel"},
		"redis+sentinel://s:1/?master_set=m&x=1":       {"redis://s:1?master_set=m&x=1", "sentinel"},
		"redis://u:p%40ss@h:1?dial_timeout=2s&addr=i:": {"redis://u:p%40ss@h:1?addr=i%3A&dial_timeout=2s", ""},
	} {
		plain, topology, err := redisstore.PlainURL(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, [2]string{plain, topology}, in)
	}
	for _, bad := range []string{"", "h:1", "redis://", "http://secret@h:1", "redis+x://h", "redis+sentinel://secret@h:1", "redis+cluster://secret@h:1/2", "redis://secret@h:1/x"} {
		_, err := redisstore.Open(t.Context(), redisstore.Options{URL: bad})
		require.Error(t, err, bad)
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err), "%s: %v", bad, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestOtherNumberOfPartitionsIsRefused(t *testing.T) {
	server, _ := started(t, redisserver.Options{})
	_, err := redisstore.Open(t.Context(), redisstore.Options{URL: server.URL(), Partitions: 32})
	require.ErrorContains(t, err, "has 64 partitions and this process is configured for 32")
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	open(t, redisstore.Options{URL: server.URL(), Partitions: 32, Prefix: "other"})
}

func TestOpenWaitsForTheServer(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	server.Kill9()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := redisstore.Open(ctx, redisstore.Options{URL: server.URL()})
	require.Error(t, err)
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))

	opened := make(chan error, 1)
	go func() {
		s, err := redisstore.Open(t.Context(), redisstore.Options{URL: server.URL()})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	require.NoError(t, server.Restart())
	require.NoError(t, <-opened)
}

func TestACLUser(t *testing.T) {
	server, _ := started(t, redisserver.Options{})
	server.Must(t, "ACL", "SETUSER", "bot", "on", ">word", "~{wa:*", "&wa:*", "-@all", "+@read", "+@write", "+@connection",
		"+eval", "+evalsha", "+time", "+publish", "+subscribe", "+unsubscribe", "+wait", "+info", "+cluster")
	server.Must(t, "ACL", "SETUSER", "default", "resetpass", ">other")
	for _, opt := range []redisstore.Options{
		{URL: "redis://bot:word@" + server.Addr()},
		{URL: server.URL(), Credentials: func(context.Context) (string, string, error) { return "bot", "word", nil }},
	} {
		s := open(t, opt)
		admit(t, s, text(1, opt.URL))
		require.NotEmpty(t, leaseAll(t, s, 300*time.Millisecond))
		assert.Empty(t, s.Durability().Eviction[:0], "CONFIG may be refused")
		assert.Contains(t, s.Durability().String(), "redis 7")
	}
	_, err := redisstore.Open(t.Context(), redisstore.Options{URL: "redis://bot:wrong@" + server.Addr()})
	require.Error(t, err)
	assert.Equal(t, ports.KindDenied, ports.KindOf(err))
	assert.NotContains(t, err.Error(), "wrong@")

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = redisstore.Open(ctx, redisstore.Options{URL: server.URL(), Credentials: func(context.Context) (string, string, error) {
		return "", "", errors.New("no token")
	}})
	require.ErrorContains(t, err, "no token")
}

func TestTLS(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{TLS: true})
	s := open(t, redisstore.Options{URL: server.URL(), TLS: server.Certificates().Client})
	admit(t, s, text(1, "1"))
	require.Len(t, leaseAll(t, s, 300*time.Millisecond), 1)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := redisstore.Open(ctx, redisstore.Options{URL: server.URL()})
	require.ErrorContains(t, err, "certificate", "a CA nobody knows is not trusted")
}

func TestFsyncIsNotClaimedWithoutIt(t *testing.T) {
	for name, tc := range map[string]struct {
		server redisserver.Options
		want   string // of the error; empty for none
	}{
		"always":       {redisserver.Options{AppendOnly: true, AppendFsync: "always"}, ""},
		"every second": {redisserver.Options{AppendOnly: true, AppendFsync: "everysec"}, "appendfsync everysec, not always"},
		"off":          {redisserver.Options{}, "append-only file off"},
		"unknown":      {redisserver.Options{AppendOnly: true, AppendFsync: "always", Args: []string{"--rename-command", "CONFIG", ""}}, "does not tell its appendfsync"},
	} {
		server := redisserver.Start(t, tc.server)
		s, err := redisstore.Open(t.Context(), redisstore.Options{URL: server.URL(), Ack: redisstore.AckFsync})
		if tc.want == "" {
			require.NoError(t, err, name)
			assert.Equal(t, "appendfsync always", s.Durability().Confirmed)
			require.NoError(t, s.Close())
			continue
		}
		require.ErrorContains(t, err, tc.want, name)
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	}
}

func TestReportWarns(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{Args: []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}})
	r := open(t, redisstore.Options{URL: server.URL()}).Durability()
	assert.Equal(t, "allkeys-lru", r.Eviction)
	assert.Equal(t, "off", r.AOF)
	assert.Equal(t, "standalone", r.Mode)
	line := r.String()
	assert.Contains(t, line, "allkeys-lru may throw messages away")
	assert.Contains(t, line, "append-only file is off")
	assert.NotContains(t, line, "\n")

	good := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	assert.Empty(t, open(t, redisstore.Options{URL: good.URL()}).Durability().Warnings)
}

func TestClusterURLWantsCluster(t *testing.T) {
	server := redisserver.Start(t, redisserver.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := redisstore.Open(ctx, redisstore.Options{URL: "redis+cluster://" + server.Addr()})
	require.ErrorContains(t, err, "not part of a cluster")
}
