package httpstatus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"

	"whatsappnode/ports"
)

// FromDo makes the error of a call that got no whole answer: what http.Client.Do
// or the reading of the body returned. Give a trace for a request that must not
// be repeated once the server may have it: MaybeDone is set then. It is nil for an
// idempotent request.
func FromDo(op string, err error, trace *Trace) *ports.Error {
	return &ports.Error{
		Op: op, Kind: kindOf(err), Err: harmless(err),
		MaybeDone: trace != nil && trace.MayHaveLeft(),
	}
}

func kindOf(err error) ports.Kind {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return ports.KindCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ports.KindTimeout
	}
	return ports.KindTransient
}

// cause keeps an error for errors.Is and shows words of ours in its place.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// harmless takes the URL off and describes the rest without quoting anything that
// came from outside.
func harmless(err error) error {
	var u *url.Error
	for errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	return &cause{text: describe(err), err: err}
}

func describe(err error) string {
	var (
		dns    *net.DNSError
		op     *net.OpError
		errno  syscall.Errno
		cert   *tls.CertificateVerificationError
		host   x509.HostnameError
		ca     x509.UnknownAuthorityError
		alert  tls.AlertError
		rec    tls.RecordHeaderError
		netErr net.Error
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return contextText(err)
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return "the host name does not exist"
		}
		return "the host name could not be resolved"
	case errors.As(err, &cert), errors.As(err, &host), errors.As(err, &ca):
		return "the server's certificate is not trusted"
	case errors.As(err, &alert), errors.As(err, &rec):
		return "the TLS handshake failed"
	case errors.As(err, &op) && errors.As(err, &errno):
		return op.Op + ": " + errno.Error() // "dial: connection refused"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before the answer did"
	case errors.As(err, &netErr) && netErr.Timeout():
		return "timed out"
	}
	return fmt.Sprintf("the call failed (%T)", err)
}

func contextText(err error) string {
	if errors.Is(err, context.Canceled) {
		return context.Canceled.Error()
	}
	return context.DeadlineExceeded.Error()
}
