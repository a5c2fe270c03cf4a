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

// Crowd makes all streams be read in steps of so long.
func (c *Connections) Crowd(step time.Duration) {
	c.streams.Add(1 << 40)
	c.stepMost = step
}

// Step is step.
func (c *Connections) Step() time.Duration { return c.step() }

// CalmStreams is calmStreams.
const CalmStreams = calmStreams

// NewBatch is newBatch.
func NewBatch(conn net.Conn) net.Conn { return newBatch(conn) }
