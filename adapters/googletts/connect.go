package googletts

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// address is where the service listens.
type address struct {
	target string // host:port
	plain  bool   // neither TLS nor credentials
}

// parseEndpoint reads "host", "host:port", "https://host:port" or
// "http://host:port". Only the last is plain.
func parseEndpoint(s string) (address, error) {
	scheme, rest, has := strings.Cut(s, "://")
	if !has {
		scheme, rest = "https", s
	}
	u, err := url.Parse("//" + rest)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		scheme != "https" && scheme != "http" {
		return address{}, errors.New("the endpoint is neither host:port (TLS) nor http://host:port (plain)")
	}
	a := address{plain: scheme == "http"}
	port := u.Port()
	switch {
	case port != "":
	case a.plain:
		port = "80"
	default:
		port = "443"
	}
	a.target = net.JoinHostPort(u.Hostname(), port)
	return a, nil
}

// reconnect keeps the pauses between attempts to connect short. gRPC's own grow to
// two minutes, for which a service that came back would still look dead.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 10 * time.Second,
}

// clientOptions are those of a client for the address.
func clientOptions(a address, more []option.ClientOption) []option.ClientOption {
	opts := []option.ClientOption{
		option.WithEndpoint(a.target),
		option.WithLogger(slog.New(slog.DiscardHandler)),
		option.WithGRPCDialOption(grpc.WithConnectParams(reconnect)),
		option.WithGRPCDialOption(grpc.WithDisableServiceConfig()), // it could switch retries on
	}
	if a.plain {
		opts = append(opts, option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	}
	return append(opts, more...)
}

// once replaces the library's options of a method: no retries, and answers of at
// most limit bytes.
func once(limit int) []gax.CallOption {
	return []gax.CallOption{gax.WithGRPCOptions(grpc.MaxCallRecvMsgSize(limit))}
}

// noClient explains why a client could not be made: for want of credentials, as a
// rule, since nothing is dialled yet.
func noClient(err error) error {
	reason := err
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = errors.New("the file of the credentials does not exist")
	case errors.Is(err, fs.ErrPermission):
		reason = errors.New("the file of the credentials may not be read")
	}
	return fmt.Errorf("googletts: no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account, "+
		"run `gcloud auth application-default login`, or run on Google Cloud as a service account: %w", reason)
}
