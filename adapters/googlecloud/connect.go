package googlecloud

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

// Address is where a service listens.
type Address struct {
	Target string // host:port
	Plain  bool   // neither TLS nor credentials
}

// ParseEndpoint reads "host", "host:port", "https://host:port" or
// "http://host:port". Only the last is plain.
func ParseEndpoint(s string) (Address, error) {
	scheme, rest, has := strings.Cut(s, "://")
	if !has {
		scheme, rest = "https", s
	}
	u, err := url.Parse("//" + rest)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		scheme != "https" && scheme != "http" {
		return Address{}, errors.New("the endpoint is neither host:port (TLS) nor http://host:port (plain)")
	}
	a := Address{Plain: scheme == "http"}
	port := u.Port()
	switch {
	case port != "":
	case a.Plain:
		port = "80"
	default:
		port = "443"
	}
	a.Target = net.JoinHostPort(u.Hostname(), port)
	return a, nil
}

// reconnect keeps the pauses between attempts to connect short. gRPC's own grow to
// two minutes, for which a service that came back would still look dead.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 10 * time.Second,
}

// ClientOptions are those of a client for the address; later options win.
func ClientOptions(a Address, more []option.ClientOption) []option.ClientOption {
	opts := []option.ClientOption{
		option.WithEndpoint(a.Target),
		option.WithLogger(slog.New(slog.DiscardHandler)),
		option.WithGRPCDialOption(grpc.WithConnectParams(reconnect)),
		option.WithGRPCDialOption(grpc.WithDisableServiceConfig()), // it could switch retries on
	}
	if a.Plain {
		opts = append(opts, option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	}
	return append(opts, more...)
}

// Once replaces the library's options of a method: no retries, and answers of at
// most limit bytes.
func Once(limit int) []gax.CallOption {
	return []gax.CallOption{gax.WithGRPCOptions(grpc.MaxCallRecvMsgSize(limit))}
}

// NoClient explains why an adapter's client could not be made: for want of
// credentials, as a rule, since nothing is dialled yet.
func NoClient(adapter string, err error) error {
	reason := err
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = errors.New("the file of the credentials does not exist")
	case errors.Is(err, fs.ErrPermission):
		reason = errors.New("the file of the credentials may not be read")
	}
	return fmt.Errorf("%s: no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account, "+
		"run `gcloud auth application-default login`, or run on Google Cloud as a service account: %w", adapter, reason)
}
