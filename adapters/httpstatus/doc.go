// Package httpstatus turns the failures of HTTP and gRPC calls into the error
// kinds of ports, in one place for all vendors: a status code with its
// Retry-After header, an error of http.Client.Do, a gRPC status code.
//
// No text made here holds a URL, a header or a body: url.Error prints the whole
// URL, and net/http quotes what a broken server sent, so both are replaced by
// plain words before they reach a log.
package httpstatus
