package gemini

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/generative-ai-go/genai"
	"google.golang.org/api/option"
	"google.golang.org/api/option/internaloption"
	gtransport "google.golang.org/api/transport/grpc"
	"google.golang.org/grpc"
)

// newLibrary makes the library's client on top of an HTTP client that knows the
// key.
//
// The endpoint is always given, so that none of Google's environment variables
// can choose another. Besides its HTTP clients the library makes a gRPC client for
// cached content, with the same options; left alone it would look for Google
// credentials on this machine and begin to connect, and Client.Close forgets it.
// So it gets a pool without connections. The library's own check calls a pool
// beside an HTTP client a mistake, and is therefore switched off.
//
// The result needs no Close. The library's Close sets fields to nil that calls
// under way still read, and frees nothing.
func newLibrary(baseURL string, client *http.Client) (*genai.Client, error) {
	return genai.NewClient(context.Background(),
		option.WithEndpoint(baseURL),
		option.WithHTTPClient(client),
		gtransport.WithConnPool(noConnections{}),
		internaloption.SkipDialSettingsValidation(),
	)
}

var errNoConnections = errors.New("gemini: cached content is not used")

// noConnections is a gRPC connection pool that holds nothing.
type noConnections struct{}

func (noConnections) Conn() *grpc.ClientConn { return nil }
func (noConnections) Num() int               { return 0 }
func (noConnections) Close() error           { return nil }

func (noConnections) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return errNoConnections
}

func (noConnections) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errNoConnections
}
