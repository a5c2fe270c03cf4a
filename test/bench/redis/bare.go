package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/test/chaos/rig"
)

// bareScript lets a message in once: the id with the time a bot remembers it, and the
// body at the end of a stream.
var bareScript = rueidis.NewLuaScript(`
if redis.call('SET', KEYS[1], '1', 'NX', 'PX', 691200000) then
  redis.call('XADD', KEYS[2], '*', 'b', ARGV[1])
  return 1
end
return 0`)

// maxBareBody is what the bare handler reads.
const maxBareBody = 1 << 20

// serveBare is the yardstick: signature, one script, 200. It does not parse JSON: the
// id is found by looking for it.
func serveBare(ctx context.Context, redis, addr string) error {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{redis}, DisableCache: true})
	if err != nil {
		return err
	}
	defer client.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /webhook", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBareBody))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		given, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
		mac := hmac.New(sha256.New, []byte(rig.AppSecret))
		mac.Write(body)
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		_, rest, found := bytes.Cut(body, []byte(`"id":"wamid.`))
		id, _, ended := bytes.Cut(rest, []byte(`"`))
		if !found || !ended {
			http.Error(w, "no id", http.StatusBadRequest)
			return
		}
		if err := bareScript.Exec(r.Context(), client, []string{"bare:" + string(id), "bare:inbox"}, []string{rueidis.BinaryString(body)}).Error(); err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`{"status":"accepted"}`))
	})
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { <-ctx.Done(); _ = server.Close() }()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
