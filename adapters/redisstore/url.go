package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// topology is what the URL's scheme demands.
type topology string

const (
	anyTopology     topology = ""
	clusterTopology topology = "cluster"
	sentinelOnly    topology = "sentinel"
)

const (
	dialTimeout = 3 * time.Second
	// stuckAfter is how long a connection may stay silent before it is given up: a
	// server that is frozen or cut off sends no end of connection.
	stuckAfter = 3 * time.Second
	flushDelay = 20 * time.Microsecond
	// credentialsTime bounds one call of Options.Credentials.
	credentialsTime = 10 * time.Second
)

// clientOption turns the options into those of the client. Errors never quote the
// URL: it may hold a password.
func clientOption(o Options) (rueidis.ClientOption, topology, error) {
	text, want, err := plainURL(o.URL)
	if err != nil {
		return rueidis.ClientOption{}, want, err
	}
	opt, err := rueidis.ParseURL(text)
	if err != nil {
		return opt, want, errors.New("the URL cannot be read: its scheme must be redis, rediss, valkey or valkeys, perhaps with +cluster or +sentinel, its database a number, its durations like 5s")
	}
	if want == sentinelOnly && opt.Sentinel.MasterSet == "" {
		return opt, want, errors.New("the URL names no master: redis+sentinel://host:26379/mymaster")
	}
	if want == clusterTopology && opt.SelectDB != 0 {
		return opt, want, errors.New("a cluster has one database only, 0")
	}
	// The scripts keep what they write; caching on the client would only cost.
	opt.DisableCache = true
	if opt.Dialer.Timeout == 0 {
		opt.Dialer.Timeout = dialTimeout
	}
	if opt.ConnWriteTimeout == 0 {
		opt.ConnWriteTimeout = stuckAfter
	}
	// The client's own choice, a megabyte a connection, is meant for a few of them;
	// confirmed writes take one each.
	opt.ReadBufferEachConn, opt.WriteBufferEachConn = 64<<10, 64<<10
	// Commands of many requests at once leave in one system call. It costs a request
	// alone about as much time as it takes to reach the server.
	opt.MaxFlushDelay = flushDelay
	if opt.ClientName == "" {
		opt.ClientName = "whatsapp-node"
	}
	if opt.TLSConfig != nil {
		if o.TLS != nil {
			opt.TLSConfig = o.TLS.Clone()
		} else {
			opt.TLSConfig.ServerName = "" // each node is checked under its own name
		}
	}
	if o.Credentials != nil {
		opt.Username, opt.Password = "", ""
		opt.AuthCredentialsFn = credentials(o.Credentials)
	}
	if opt.Sentinel.MasterSet != "" {
		sentinelOption(&opt, text)
	}
	return opt, want, nil
}

// credentials adapts Options.Credentials. What it returns wrong is an error without
// its text, which may quote a token.
func credentials(fn func(context.Context) (string, string, error)) func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
	return func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
		ctx, cancel := context.WithTimeout(context.Background(), credentialsTime)
		defer cancel()
		user, password, err := fn(ctx)
		if err != nil {
			return rueidis.AuthCredentials{}, fmt.Errorf("credentials: %w", err)
		}
		return rueidis.AuthCredentials{Username: user, Password: password}, nil
	}
}

// sentinelOption makes the client speak to the sentinels as to the servers, except
// for their own password. It asks them now and then, since a message about a new
// master can be missed.
func sentinelOption(opt *rueidis.ClientOption, text string) {
	opt.Sentinel.TLSConfig, opt.Sentinel.Dialer = opt.TLSConfig, opt.Dialer
	opt.Sentinel.TopologyRefreshInterval = 5 * time.Second
	if u, err := url.Parse(text); err == nil {
		opt.Sentinel.Username, opt.Sentinel.Password = u.Query().Get("sentinel_username"), u.Query().Get("sentinel_password")
	}
}

// plainURL turns the forms that are ours into those of rueidis.ParseURL: several
// hosts become addr parameters, and a sentinel's master a master_set.
func plainURL(text string) (string, topology, error) {
	bad := errors.New("the URL has no scheme and host")
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return "", anyTopology, bad
	}
	want := anyTopology
	if base, suffix, ok := strings.Cut(scheme, "+"); ok {
		scheme, want = base, topology(suffix)
		if want != clusterTopology && want != sentinelOnly {
			return "", want, errors.New("the URL's scheme must end in +cluster or +sentinel, or in neither")
		}
	}
	if scheme == "unix" {
		return text, want, nil
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	user, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, hosts = authority[:at+1], authority[at+1:]
	}
	all := strings.Split(hosts, ",")
	u, err := url.Parse(scheme + "://" + user + all[0] + tail)
	if err != nil || all[0] == "" {
		return "", want, bad
	}
	q := u.Query()
	for _, host := range all[1:] {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(host, "6379")
		}
		q.Add("addr", host)
	}
	if want == sentinelOnly {
		master, db, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
		u.Path = ""
		if master != "" {
			q.Set("master_set", master)
		}
		if db != "" {
			q.Set("db", db)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), want, nil
}
