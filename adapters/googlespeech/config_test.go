package googlespeech_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

func TestFaultsAreListedTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  googlespeech.Config
		want []string
	}{
		"nothing given":      {googlespeech.Config{}, []string{"project is missing"}},
		"everything wrong":   {googlespeech.Config{API: "v3", Project: "a b", Location: "the moon", Languages: []string{"en", "!"}, Endpoint: "ftp://x", Pace: -1}, []string{`"v3" is unknown`, `"a b" is no project`, `"the moon" is none`, `"!" is no BCP 47 tag`, "neither host:port", "pace"}},
		"recognizer":         {googlespeech.Config{Project: "shop", Recognizer: "a/b"}, []string{`"a/b" is neither`}},
		"another location":   {googlespeech.Config{Location: "us", Recognizer: "projects/p/locations/eu/recognizers/_"}, []string{`location "eu" and not in "us"`}},
		"another project":    {googlespeech.Config{Project: "q", Recognizer: "projects/p/locations/eu/recognizers/_"}, []string{`project "p" and not to "q"`}},
		"v1 has no language": {googlespeech.Config{API: "v1"}, []string{"cannot find out the language"}},
		"v1 has no auto":     {googlespeech.Config{API: "v1", Languages: []string{"auto"}}, []string{`"auto" is no BCP 47 tag`}},
		"pace":               {googlespeech.Config{Project: "shop", Pace: math.NaN()}, []string{"pace"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := googlespeech.NewSTT(tt.cfg)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
	for _, endpoint := range []string{"http://", "://x", "http://user:pw@host", "host/path", "host?x=1", "host#x", "host:port", "https://a b"} {
		_, err := googlespeech.NewSTT(googlespeech.Config{Project: "shop", Endpoint: endpoint})
		require.ErrorContains(t, err, "endpoint", endpoint)
		assert.NotContains(t, err.Error(), "pw")
	}
}

func TestPlace(t *testing.T) {
	const shop = "projects/shop/locations/"
	for name, tt := range map[string]struct {
		cfg                googlespeech.Config
		recognizer, target string
		plain              bool
	}{
		"default":        {googlespeech.Config{Project: "shop"}, shop + "us/recognizers/_", "us-speech.googleapis.com:443", false},
		"europe":         {googlespeech.Config{Project: "shop", Location: "eu"}, shop + "eu/recognizers/_", "eu-speech.googleapis.com:443", false},
		"region":         {googlespeech.Config{Project: "shop", Location: "asia-southeast1"}, shop + "asia-southeast1/recognizers/_", "asia-southeast1-speech.googleapis.com:443", false},
		"global":         {googlespeech.Config{Project: "shop", Location: "global", Model: "long"}, shop + "global/recognizers/_", "speech.googleapis.com:443", false},
		"domain project": {googlespeech.Config{Project: "example.com:shop"}, "projects/example.com:shop/locations/us/recognizers/_", "us-speech.googleapis.com:443", false},
		"whole path":     {googlespeech.Config{Recognizer: shop + "eu/recognizers/orders"}, shop + "eu/recognizers/orders", "eu-speech.googleapis.com:443", false},
		"version 1":      {googlespeech.Config{API: "v1", Languages: []string{"en"}}, "", "speech.googleapis.com:443", false},
		"version 1, eu":  {googlespeech.Config{API: "v1", Languages: []string{"en"}, Location: "eu"}, "", "eu-speech.googleapis.com:443", false},
		"given":          {googlespeech.Config{Project: "shop", Endpoint: "speech.example:8443"}, shop + "us/recognizers/_", "speech.example:8443", false},
		"given https":    {googlespeech.Config{Project: "shop", Endpoint: "https://speech.example/"}, shop + "us/recognizers/_", "speech.example:443", false},
		"given plain":    {googlespeech.Config{Project: "shop", Endpoint: "http://127.0.0.1:1234"}, shop + "us/recognizers/_", "127.0.0.1:1234", true},
		"plain port":     {googlespeech.Config{Project: "shop", Endpoint: "http://fake"}, shop + "us/recognizers/_", "fake:80", true},
		"IPv6":           {googlespeech.Config{Project: "shop", Endpoint: "http://[::1]:5"}, shop + "us/recognizers/_", "[::1]:5", true},
	} {
		t.Run(name, func(t *testing.T) {
			recognizer, target, plain, err := googlespeech.Place(tt.cfg)
			require.NoError(t, err)
			assert.Equal(t, tt.recognizer, recognizer)
			assert.Equal(t, tt.target, target)
			assert.Equal(t, tt.plain, plain)
		})
	}
}

func TestMissingCredentialsTellWhatToSet(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	for _, cfg := range []googlespeech.Config{{Project: "shop"}, {API: "v1", Languages: []string{"en"}}} {
		_, err := googlespeech.NewSTT(cfg)
		require.ErrorContains(t, err, "GOOGLE_APPLICATION_CREDENTIALS")
		require.ErrorContains(t, err, "gcloud auth application-default login")
		require.ErrorContains(t, err, "does not exist")
	}
	file := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"private_key": "`+secret+`"`), 0o600))
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	_, err := googlespeech.NewSTT(googlespeech.Config{Project: "shop"})
	require.ErrorContains(t, err, "GOOGLE_APPLICATION_CREDENTIALS")
	assert.NotContains(t, err.Error(), secret)
}

// TestPlainEndpointNeedsNoCredentials: neither are they looked for.
func TestPlainEndpointNeedsNoCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	s := googlefake.Start(t)
	_, err := ear(t, s, versions["v2"]).Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{})
	require.NoError(t, err)
}

// TestCredentialsTravelOverTLS: a service account's key makes the token, and the
// endpoint without a scheme is TLS.
func TestCredentialsTravelOverTLS(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", serviceAccount(t))
	cert, roots := certificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	s := googlefake.Serve(l)
	t.Cleanup(s.Stop)
	for _, endpoint := range []string{s.Addr(), "https://" + s.Addr()} {
		e, err := googlespeech.NewSTT(googlespeech.Config{Project: "shop", Endpoint: endpoint, Options: []option.ClientOption{
			option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots}))),
		}})
		require.NoError(t, err)
		_, err = e.Transcribe(t.Context(), recording(t, "hello", time.Second), ports.STTOptions{})
		require.NoError(t, err)
		require.NoError(t, e.Close())
		h := s.Hearings()
		require.Regexp(t, `^Bearer ey`, h[len(h)-1].Header.Get("authorization")[0])
		s.Reset()
	}

	untrusting, err := googlespeech.NewSTT(googlespeech.Config{Project: "shop", Endpoint: s.Addr()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = untrusting.Close() })
	assert.Equal(t, ports.KindTransient, refused(t, t.Context(), untrusting, recording(t, secret, time.Second)).Kind)
	assert.Empty(t, s.Hearings())
}

// TestTokenThatCannotBeFetched: an unreachable token server is an outage, and an
// answer that refuses the key is not.
func TestTokenThatCannotBeFetched(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, dead.Close())
	l := bufconn.Listen(1 << 16)
	s := googlefake.Serve(l)
	t.Cleanup(s.Stop)
	for text, want := range map[string]ports.Kind{
		"dial tcp " + dead.Addr().String() + ": connect: connection refused": ports.KindTransient,
		"auth: cannot fetch token: 503":                                      ports.KindTransient,
		"auth: cannot fetch token: 400, invalid_grant " + secret:             ports.KindDenied,
	} {
		conn, err := grpc.NewClient("passthrough:///fake", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
			grpc.WithPerRPCCredentials(noToken(text)))
		require.NoError(t, err)
		e, err := googlespeech.NewSTT(googlespeech.Config{Project: "shop", Options: []option.ClientOption{option.WithGRPCConn(conn)}})
		require.NoError(t, err)
		got := refused(t, t.Context(), e, recording(t, secret, time.Second))
		assert.Equal(t, want, got.Kind, text)
		assert.ErrorContains(t, got, "no access token")
		require.NoError(t, e.Close())
	}
	assert.Empty(t, s.Hearings())
}

type noToken string

func (n noToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, errText(n)
}
func (noToken) RequireTransportSecurity() bool { return false }

type errText string

func (e errText) Error() string { return string(e) }

// TestOptionsWin: a connection of the caller's own, without any port.
func TestOptionsWin(t *testing.T) {
	l := bufconn.Listen(1 << 16)
	s := googlefake.Serve(l)
	t.Cleanup(s.Stop)
	for version, cfg := range versions {
		conn, err := grpc.NewClient("passthrough:///fake", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
		require.NoError(t, err)
		cfg.Options = []option.ClientOption{option.WithGRPCConn(conn)}
		e, err := googlespeech.NewSTT(cfg)
		require.NoError(t, err)
		for _, length := range []time.Duration{time.Second, time.Minute} {
			tr, err := e.Transcribe(t.Context(), recording(t, "hello", length), ports.STTOptions{})
			require.NoError(t, err, version)
			assert.Equal(t, "hello", tr.Text)
		}
		require.NoError(t, e.Close())
	}
}

// TestLibraryDoesNotLog: the library would print every request and transcript to
// stderr when this variable is set.
func TestLibraryDoesNotLog(t *testing.T) {
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	stderr := os.Stderr
	os.Stderr = file
	t.Cleanup(func() { os.Stderr = stderr; _ = file.Close() })
	s := googlefake.Start(t)
	for _, cfg := range versions {
		e := ear(t, s, cfg)
		for _, length := range []time.Duration{time.Second, time.Minute} {
			_, err := e.Transcribe(t.Context(), recording(t, secret, length), ports.STTOptions{})
			require.NoError(t, err)
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)
	text, err := io.ReadAll(file)
	require.NoError(t, err)
	assert.Empty(t, string(text))
}

// serviceAccount is the key file of an account that nobody has.
func serviceAccount(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "shop", "private_key_id": "1", "client_id": "1",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "bot@shop.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:1/token",
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// certificate is one for 127.0.0.1, with the roots that trust it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
