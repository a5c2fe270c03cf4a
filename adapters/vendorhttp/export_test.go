package vendorhttp

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

// Trust makes a pool trust a test's server.
func (c *Connections) Trust(cfg *tls.Config) { c.pool.TLSClientConfig = cfg.Clone() }

// InSteps is inSteps.
func (c *Connections) InSteps(body io.ReadCloser) io.ReadCloser { return c.inSteps(body) }

// Step is step.
func (c *Connections) Step() time.Duration { return c.step() }

// CalmStreams is calmStreams.
const CalmStreams = calmStreams

// NewBatch is newBatch.
func NewBatch(conn net.Conn) net.Conn { return newBatch(conn) }
