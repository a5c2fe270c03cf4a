package h2client

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const userAgent = "Go-http-client/2.0"

// lowered are the names that requests to vendors have, as HTTP/2 wants them.
var lowered = func() map[string]string {
	names := map[string]string{}
	for _, name := range []string{
		"Accept", "Accept-Language", "Api-Key", "Authorization", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Type", "Cookie",
		"Idempotency-Key", "Openai-Organization", "Openai-Project", "Openai-Beta", "Range", "Traceparent", "Tracestate", "User-Agent", "X-Api-Key",
		"X-Goog-Api-Key", "X-Goog-User-Project", "X-Request-Id", "Xi-Api-Key", "Anthropic-Version", "Anthropic-Beta",
	} {
		names[name] = strings.ToLower(name)
	}
	return names
}()

func lower(name string) string {
	if known, ok := lowered[name]; ok {
		return known
	}
	return strings.ToLower(name)
}

// ofConnection reports whether a header is about the connection, which HTTP/2 has other
// means for (RFC 9113, 8.2.2), or is written apart.
func ofConnection(name, value string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "content-length":
		return true
	case "te":
		return value != "trailers"
	}
	return false
}

// refused says what is wrong with a request, if anything.
func refused(req *http.Request) error {
	switch {
	case req.URL == nil || req.URL.Host == "" && req.Host == "":
		return errors.New("http2: the request has no host")
	case req.Method == http.MethodConnect:
		return errors.New("http2: CONNECT is not for this client")
	case req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method):
		return errors.New("http2: the method is invalid")
	case !httpguts.ValidHostHeader(authority(req)):
		return errors.New("http2: the host is invalid")
	case !strings.HasPrefix(req.URL.RequestURI(), "/") && req.URL.RequestURI() != "*":
		return errors.New("http2: the path is invalid")
	}
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return errors.New("http2: the name of a header is invalid") // names and values may hold a secret
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("http2: the value of the header %q is invalid", name)
			}
		}
	}
	return nil
}

func authority(req *http.Request) string {
	if req.Host != "" {
		return req.Host
	}
	return req.URL.Host
}

// encode makes the header block of a request in c.block. c.mu is held, since the encoder
// remembers, and blocks must be read in the order in which they were made.
func (c *Conn) encode(req *http.Request, length int64) {
	c.block.Reset()
	field := func(name, value string) { _ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	scheme := req.URL.Scheme
	if scheme == "" {
		scheme = "https"
	}
	field(":authority", authority(req))
	field(":method", method)
	field(":path", req.URL.RequestURI())
	field(":scheme", scheme)
	agent := false
	for key, values := range req.Header {
		name := lower(key)
		agent = agent || name == "user-agent"
		for _, value := range values {
			if !ofConnection(name, value) && (name != "user-agent" || value != "") {
				field(name, value)
			}
		}
	}
	if length > 0 || length == 0 && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch) {
		field("content-length", strconv.FormatInt(length, 10))
	}
	if !agent {
		field("user-agent", userAgent)
	}
}

// writeBlock queues the header block. c.mu is held.
func (c *Conn) writeBlock(id uint32, end bool) {
	block := c.block.Bytes()
	for first := true; first || len(block) > 0; first = false {
		part := block[:min(int64(len(block)), c.maxFrame)]
		block = block[len(part):]
		if first {
			c.queued(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: len(block) == 0}))
		} else {
			c.queued(c.framer.WriteContinuation(id, len(block) == 0, part))
		}
	}
}

// answer makes a response of a header block, which is one of 1xx where the status says so.
func answer(f *http2.MetaHeadersFrame) (*http.Response, error) {
	if f.Truncated {
		return nil, errors.New("http2: the answer's headers are too large")
	}
	code := f.PseudoValue("status")
	status, err := strconv.Atoi(code)
	if len(code) != 3 || code[0] == '+' || err != nil || status < 100 || status > 999 {
		return nil, errors.New("http2: the answer has no status")
	}
	fields := f.RegularFields()
	header := make(http.Header, len(fields))
	values := make([]string, len(fields))
	for i := range fields {
		switch fields[i].Name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
			return nil, errors.New("http2: the answer has a field of connections")
		}
		key := http.CanonicalHeaderKey(fields[i].Name)
		if had := header[key]; had != nil {
			header[key] = append(had, fields[i].Value)
			continue
		}
		values[i] = fields[i].Value
		header[key] = values[i : i+1 : i+1]
	}
	length, err := declared(header)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: header, ContentLength: length,
	}, nil
}

// declared is the length that headers tell, or -1.
func declared(header http.Header) (int64, error) {
	lengths := header["Content-Length"]
	if len(lengths) == 0 {
		return -1, nil
	}
	length, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return 0, errors.New("http2: the answer's content-length is invalid")
	}
	for _, another := range lengths[1:] {
		if another != lengths[0] {
			return 0, errors.New("http2: the answer has several lengths")
		}
	}
	return int64(length), nil
}
